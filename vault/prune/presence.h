// Presence: which processes work on a vault now, so that prune erases nothing under their hands.
//
// Whoever reads or writes snapshots is present from before its first question to the index until it
// ends: it holds a file of its own in FOLDER under an flock, which the kernel drops with the
// process. In the file stands the index's doom generation as it was then: packs of that generation
// or an older one counted as absent for it from the start, and what the ledger names it reads only
// after that; so these it never relies on. Nobody waits for anybody.
#pragma once

#include "vault/base/file.h"
#include "vault/crypto/random.h"
#include "vault/index/chunk_index.h"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::vault {

class Presence {
public:
    /// Errors: Full, Io.
    static Result<Presence> enter(const std::string& folder, ChunkIndex& index, Random& random);

    Presence() = default;  // Of nobody.
    Presence(Presence&& other) noexcept = default;
    Presence& operator=(Presence&& other) noexcept;
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    ~Presence() { leave(); }

private:
    Presence(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    void leave();

    std::string path_;
    Fd fd_;
};

struct Present {
    std::size_t processes = 0;
    std::uint64_t oldest_generation = 0;  // The lowest that one of them has.
};

/// Who is present in FOLDER; removes what processes that ended have left. Errors: Io.
Result<Present> present_in(const std::string& folder);

}  // namespace holdfast::vault
