// Kept tree: what the snapshot before has of a source, for one that knows what has changed since.
//
//   keep_until(a) -> add what a is now -> pass_over(a) -> keep_until(b) -> … -> keep_until(end)
//
// Whole leaves of the metadata are taken over unread, so the cost is that of the changes. The
// entries that are added between the calls go to the sink of the same snapshot. Same thread rule as
// Sink.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::agent {

/// What was there and is left out.
struct Passed {
    std::uint64_t files = 0;  // Regular ones.
    std::uint64_t folders = 0;
};

class KeptTree {
public:
    virtual ~KeptTree() = default;

    /// Takes over all entries from where this stands up to `path`, which is not among them; none:
    /// all that are left. Paths rise. Errors: those of the vault (Corrupt: the snapshot before is
    /// damaged).
    virtual Result<void> keep_until(const std::optional<std::string>& path) = 0;
    /// Leaves out the entry at `path`, where this stands, if there is one; `deep`: and all below
    /// it. Errors: as keep_until().
    virtual Result<Passed> pass_over(const std::string& path, bool deep) = 0;
};

}  // namespace holdfast::agent
