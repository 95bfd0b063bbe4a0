// Repack: moves what snapshots need out of packs that hold little of it, so that those can go.
//
// Sealed chunks move as they are: no key but the map key is needed, and a moved segment keeps its
// name and its chunks' numbers, with gaps for what stayed behind (docs/vault-format.md, 7). Then
// the snapshots that stood on the old packs are relisted. Old packs are erased by the next erase,
// like any that nothing needs.
//
// It works while others do: it is present as a writer is, stores packs that nothing names yet, and
// relists snapshot by snapshot under commit.lock. A kill at any point leaves packs that nothing
// names, or some snapshots relisted and some not; each is whole, and the next repack finds what was
// moved already.
#pragma once

#include "vault/vault.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>

namespace holdfast::vault {

/// Shared with whoever watches.
struct RepackProgress {
    std::atomic<std::uint64_t> snapshots_read{0};
    std::atomic<std::uint64_t> bytes_done{0};  // Of the packs that go.
    std::atomic<std::uint64_t> bytes_all{0};   // 0: not known yet.
    std::atomic<bool> stop{false};
};

struct RepackSettings {
    /// So much of what a domain's packs take may be unneeded before any of them is repacked; then
    /// the emptiest are, until half as much is.
    unsigned unused_percent_max = 10;
    /// Read and written together; 0: no limit.
    std::uint64_t bytes_per_second_max = 0;
    /// Snapshots that are mounted or run from here, which keep their packs. Asked under
    /// commit.lock. None: there are none.
    std::function<Result<std::set<SnapshotId>>()> in_use;
    /// For a dry run: as if these were forgotten already. Then packs are chosen, and nothing moves.
    std::set<SnapshotId> as_if_forgotten;
    bool dry_run = false;
    RepackProgress* progress = nullptr;
};

struct RepackReport {
    std::uint64_t old_packs = 0;  // Whose chunks were moved; in a dry run: would be, and about
                                  // how much would be written.
    std::uint64_t old_bytes = 0;
    std::uint64_t new_packs = 0;
    std::uint64_t new_bytes = 0;
    std::uint64_t snapshots = 0;  // Relisted.
    std::vector<Damage> damage;   // What could not be read, and so stays where it is.
};

/// Errors: Corrupt (a list that cannot be read), Full, Io, Interrupted; what was moved by then is
/// not lost.
Result<RepackReport> repack(Vault& vault, const RepackSettings& settings);

}  // namespace holdfast::vault
