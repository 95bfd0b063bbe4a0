// Erase: takes out of a vault what no snapshot needs any more: packs, and lists.
//
// Two phases, without waiting for anybody and without a clock:
//   1. What no live list names is doomed in the index, all at once, as one generation: from then on
//      it counts as absent for whoever comes.
//   2. Who is present is asked (vault/prune/presence.h). What was doomed before the oldest of them
//      came is erased: the others cannot rely on it. The rest waits for the next prune.
// A snapshot's commit and each batch of phase 2 take turns by commit.lock, and the ledger is read
// again under it: what has come to life since is revived. A kill at any point leaves doomed packs,
// or files that nothing names; the next prune goes on.
#pragma once

#include "vault/vault.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>

namespace holdfast::vault {

/// Shared with whoever watches.
struct EraseProgress {
    std::atomic<std::uint64_t> lists_read{0};
    std::atomic<std::uint64_t> bytes_done{0};
    std::atomic<std::uint64_t> bytes_all{0};  // 0: not known yet.
    std::atomic<bool> stop{false};
};

struct EraseSettings {
    /// Snapshots whose packs stay though they were forgotten, since something is mounted from them.
    /// Asked under commit.lock before anything is removed: whoever mounts says so under it too, and
    /// reads the ledger after that.
    std::function<Result<std::set<SnapshotId>>()> attached;
    /// For a dry run: as if these were forgotten already.
    std::set<SnapshotId> as_if_forgotten;
    bool dry_run = false;
    /// Also when entries of the ledger cannot be read: what they alone name is erased.
    bool despite_damage = false;
    EraseProgress* progress = nullptr;
};

struct PackAmount {
    std::uint64_t packs = 0;
    std::uint64_t bytes = 0;
};

struct EraseReport {
    PackAmount needed;            // By live snapshots.
    PackAmount erased;            // In a dry run: what would be.
    PackAmount waiting;           // Not needed, but those who are at work may rely on it.
    std::uint64_t lists = 0;      // Erased.
    std::uint64_t processes = 0;  // At work on this vault meanwhile.
};

/// Errors: Corrupt (entries or lists that cannot be read may name what would be erased), Full, Io,
/// Interrupted; what was erased by then was not needed.
Result<EraseReport> erase_unneeded(Vault& vault, const EraseSettings& settings);

}  // namespace holdfast::vault
