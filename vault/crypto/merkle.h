// Merkle trees of the format (docs/vault-format.md, 1: T), RFC 6962-shaped, and their proofs.
//
//   leaf hash  BLAKE2b-256(0x00 leaf)       node hash  BLAKE2b-256(0x01 left right)
//   the left half of n leaves holds the largest power of two below n; no leaves: 32 zero bytes
//
// A proof is a row of hashes that means nothing without the sizes and places it was made for. A
// range proof holds, from left to right, the largest subtrees outside the range. Verifying takes
// foreign numbers: any sizes, any proof. But a root does not commit to its size: trees of near
// sizes share proofs. Take the size from what commits to it: a pack's name, an entry's number.
// MerkleLog and MerkleFile belong to one thread; the rest is pure.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/units.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t merkle_leaf_bytes = 64_KiB;  // Of files; the last leaf may be shorter.
constexpr std::size_t merkle_proof_max = 128;      // Hashes: two for each level.

using MerkleProof = std::vector<Digest>;

Digest merkle_leaf_hash(View leaf);
Digest merkle_node_hash(const Digest& left, const Digest& right);

/// The root over leaf hashes.
Digest merkle_root(std::span<const Digest> leaves);

/// The root over the 64 KiB leaves of `file`.
Digest merkle_root_of_file(View file);

/// The leaf hashes of `file`, whose proofs are wanted.
std::vector<Digest> merkle_leaves_of_file(View file);

/// A tree that grows at its right end: keeps one hash a level.
class MerkleLog {
public:
    MerkleLog() = default;
    /// One that has grown to `size` leaves already. Errors: Corrupt (another count of peaks).
    static Result<MerkleLog> resume(std::uint64_t size, std::vector<Digest> peaks);

    void append(const Digest& leaf_hash);
    std::uint64_t size() const { return size_; }
    Digest root() const;
    /// Roots of the full subtrees, largest first: one for each bit of size().
    const std::vector<Digest>& peaks() const { return peaks_; }

private:
    std::uint64_t size_ = 0;
    std::vector<Digest> peaks_;
};

/// The root of a file that comes in pieces of any length.
class MerkleFile {
public:
    void update(View piece);
    /// The root over all pieces. update() may go on after it.
    Digest root() const;

private:
    MerkleLog log_;
    Buffer leaf_;  // The beginning of the next leaf; never a whole one.
};

/// Leaves that one hash of a proof stands for.
struct MerkleSpan {
    std::uint64_t first = 0;
    std::uint64_t count = 0;

    std::uint64_t end() const { return first + count; }
};

/// What the hashes of a range proof stand for, in their order. 0 < count, first + count <= size.
std::vector<MerkleSpan> range_proof_spans(std::uint64_t size, std::uint64_t first,
                                          std::uint64_t count);

/// Proves that leaves [first, first + count) stand there. 0 < count, first + count <=
/// leaves.size().
MerkleProof prove_range(std::span<const Digest> leaves, std::uint64_t first, std::uint64_t count);

/// True if a tree of `size` leaves under `root` has `range` (not empty) from leaf `first` on.
bool range_holds(const Digest& root, std::uint64_t size, std::uint64_t first,
                 std::span<const Digest> range, std::span<const Digest> proof);

/// The same for the bytes of whole leaves of a file of `file_length` bytes; only its last leaf may
/// be shorter.
bool file_range_holds(const Digest& root, std::uint64_t file_length, std::uint64_t first_leaf,
                      View bytes, std::span<const Digest> proof);

}  // namespace holdfast::vault
