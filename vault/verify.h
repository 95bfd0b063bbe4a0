// Verify: is what the vault holds what it should hold?
//
// Structure needs no key: ledger chains (checked as they are read), lists, and every pack on a list
// against its name. With `read_data` each chunk is opened, decoded and compared with its id, and
// each path of each snapshot must find its content. Damage is collected, not fatal: the report
// names all.
#pragma once

#include "vault/base/clock.h"
#include "vault/snapshot/naming.h"
#include "vault/vault_reader.h"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast::vault {

struct VerifyReport {
    std::uint64_t snapshots = 0;
    std::uint64_t packs = 0;
    std::uint64_t packs_skipped = 0;       // Checked lately, or not in the sample.
    std::uint64_t bytes = 0;               // Of packs, hashed.
    std::uint64_t chunks = 0;              // Opened and compared.
    std::uint64_t paths = 0;               // Whose content was found whole.
    std::uint64_t content_not_opened = 0;  // Chunks whose key is not on this node: locked domains.
    std::vector<Damage> damage;

    bool clean() const { return damage.empty(); }
};

/// Shared with whoever watches.
struct VerifyProgress {
    std::atomic<std::uint64_t> packs_done{0};
    std::atomic<std::uint64_t> packs_all{0};
    std::atomic<std::uint64_t> bytes_done{0};
    std::atomic<bool> stop{false};
};

struct VerifySettings {
    bool read_data = false;
    unsigned workers = 1;
    const std::map<DomainId, const Naming*>* namings =
        nullptr;  // To compare chunks with their ids.
    VerifyProgress* progress = nullptr;
    const Clock* clock =
        nullptr;  // Notes in the index when packs were found whole; null: does not.
    /// Packs that were found whole, in this way, since then are passed over: an interrupted verify
    /// goes on. 0: none.
    std::int64_t skip_since_ms = 0;
    /// Below 100: only so many of each hundred packs, those that were checked longest ago; and
    /// trees are not walked.
    unsigned sample_percent = 100;
    std::uint64_t bytes_per_second_max = 0;  // 0: no limit.
};

/// Verifies all snapshots of `reader`. Packs that are damaged or gone are marked bad in its index,
/// so that the next snapshot stores their content anew. Errors: Unreachable, Interrupted, Io (of
/// the vault as a whole): what kept it from going on; never damage.
Result<VerifyReport> verify(VaultReader& reader, const VerifySettings& settings);

}  // namespace holdfast::vault
