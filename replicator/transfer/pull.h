// Pull: brings a trust's whole vault back from what a partner holds of it. The other way of push.
//
//   rosters -> domains, custody, epochs -> packs (several at once) -> lists with their bases ->
//   ledger entries, in the order of their chains
//
// What the partner gives is checked before it is stored: by its name, or against the roster. What
// is there is not fetched again, and an entry comes last: so a pull that was killed or cut off is
// simply run again, and the vault is a valid older one at every moment. What is damaged or missing
// at the partner is told and left out; the rest is brought. Blocking; a thread of its own.
#pragma once

#include "vault/keys/roster.h"
#include "vault/store/posix_store.h"
#include "vault/vault_reader.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t pulled_objects_max = 1 << 24;  // In one folder.

/// Shared with whoever watches.
struct PullProgress {
    std::atomic<std::uint64_t> packs_done{0};
    std::atomic<std::uint64_t> packs_all{0};
    std::atomic<std::uint64_t> bytes_done{0};
    std::atomic<bool> stop{false};
};

struct PullSettings {
    unsigned connections = 4;
    unsigned tries_max = 6;
    std::uint64_t first_pause_ms = 500;  // Doubled with each try.
    /// What is stored for an epoch object, which its name commits to: it may be wrapped anew.
    std::function<Result<Buffer>(const EpochId&, Buffer)> rewrap;
};

struct PullReport {
    std::uint64_t entries = 0;  // That the partner holds.
    std::uint64_t packs = 0;    // Brought now.
    std::uint64_t bytes = 0;
    std::vector<vault::Damage> damage;
};

/// `rosters` are the trust's chain, proven; `roster` is its newest. Errors: Unreachable (run it
/// again), NotFound (the partner holds no ledger of this trust), Denied, Invalid (over a limit),
/// Interrupted, Full, Io.
Result<PullReport> pull(vault::Store& from, const std::vector<Buffer>& rosters,
                        const vault::Roster& roster, vault::PosixStore& to,
                        const PullSettings& settings, PullProgress& progress);

}  // namespace holdfast::replicator
