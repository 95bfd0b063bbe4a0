// PackUpload: a pack on its way into a tenancy, hashed as it comes, in a file that nobody else
// sees.
//
// Moves between the loop and the workers; each of its methods does blocking file work. Letting go
// removes the file, unless Tenancy::put() has taken it.
#pragma once

#include "vault/base/file.h"
#include "vault/crypto/merkle.h"

#include <cstdint>
#include <string>

namespace holdfast::replicator {

/// A pack's name from its length and the root over its 64 KiB leaves.
PackId pack_id_from(std::uint64_t length, const Digest& root);

class PackUpload {
public:
    PackUpload() = default;
    PackUpload(PackUpload&& other) noexcept;
    PackUpload& operator=(PackUpload&& other) noexcept;
    ~PackUpload();

    /// `folder` is there. Errors: Invalid (no pack is so long), Full, Io.
    static Result<PackUpload> start(const std::string& folder, const PackId& id,
                                    std::uint64_t length);
    /// Errors: Full, Io.
    Result<void> add(View piece);
    /// All has come: compares it with its name, and makes the file's bytes durable.
    /// Errors: Refusal::NotItsName, Full, Io.
    Result<void> finish();

    const PackId& id() const { return id_; }
    std::uint64_t length() const { return length_; }
    /// Gives the file away: its path.
    std::string release();

private:
    PackId id_;
    std::uint64_t length_ = 0;
    std::string path_;  // Empty: nothing to remove.
    Fd file_;
    std::uint64_t taken_ = 0;
    vault::MerkleFile tree_;
};

}  // namespace holdfast::replicator
