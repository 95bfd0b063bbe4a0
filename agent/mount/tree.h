// Tree: the read-only snapshot under a mount, as the file system needs it.
//
// agent/restore gives the real one, over a vault; tests give one over a folder or memory. Called
// from several threads of the mount process at once; implementations lock where they must.
#pragma once

#include "vault/base/result.h"
#include "vault/snapshot/entry.h"

#include <cstdint>
#include <functional>
#include <span>

namespace holdfast::agent {

class Tree {
public:
    virtual ~Tree() = default;

    /// Calls `visit(ordinal, entry)` for every entry in path order. The ordinal names the entry in
    /// read(); it is stable for the snapshot. Errors: Corrupt, Io, Unreachable, or visit's own.
    virtual Result<void> walk(
        const std::function<Result<void>(std::uint64_t, const vault::Entry&)>& visit) const = 0;

    /// Fills `out` with the content of regular file `ordinal` from `offset`; holes are zeros. Stops
    /// at the file's end: answers the bytes filled. Hard links: any of the file's ordinals will do.
    /// Errors: Corrupt, Io, Unreachable (a partner that holds the pack does not answer).
    virtual Result<std::size_t> read(std::uint64_t ordinal, std::uint64_t offset,
                                     std::span<std::uint8_t> out) const = 0;
};

}  // namespace holdfast::agent
