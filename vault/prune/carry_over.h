// Carry over: lets this node's chain begin anew from time to time, so that a ledger is as large as
// what stands in it, and not as all that was ever said (vault/ledger/carry.h).
//
// Left out are: snapshots that were forgotten, what forgot them, and relists that another has
// overtaken; what relists say is said once more before, in few words. All else is carried word by
// word. The entries before the carry before the new one are erased: so a reader, or a partner that
// lags behind, always has a carry's length of entries left, and a damaged carry has an older one
// behind it. Killed at any point it leaves a part of a carry, which says nothing, or entries that
// nobody reads.
#pragma once

#include "vault/vault.h"

#include <cstdint>
#include <functional>
#include <set>

namespace holdfast::vault {

struct CarrySettings {
    /// A carry is written once so many entries, and half as many as are carried, came since the
    /// last one: so each entry is carried but a few times.
    std::uint64_t entries_min = 1024;
    /// As in EraseSettings: forgotten, but to be kept.
    std::function<Result<std::set<SnapshotId>>()> attached;
    bool dry_run = false;
};

struct CarryReport {
    bool carried = false;      // In a dry run: it would be.
    std::uint64_t before = 0;  // Entries of the chain that were known.
    std::uint64_t kept = 0;    // Of them.
    std::uint64_t erased = 0;  // Objects.
};

/// Does nothing if the ledger has gaps: what is missing may say what stands.
/// Errors: Full, Io, Conflict.
Result<CarryReport> carry_ledger_over(Vault& vault, const CarrySettings& settings);

}  // namespace holdfast::vault
