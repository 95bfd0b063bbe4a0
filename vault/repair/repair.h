// Repair: fetches what is damaged or missing in a vault from places that hold the same objects.
//
// What is mended was named by verify. An object from elsewhere is taken only if it is what its name
// says, or its signer's: packs leaf by leaf, lists and epochs by their names, records and ledger
// entries by their signatures, in the order of their chains. It takes the place of the damaged one
// at once (rename), whose bytes go to the quarantine first. A place that gives something else is
// named, and the next one asked.
#pragma once

#include "vault/repair/mend_pack.h"
#include "vault/vault.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::vault {

/// Where the same objects may lie. Errors of both: NotFound, Corrupt, Unreachable, Denied, Io.
struct RepairSource {
    std::string name;  // For people.
    std::function<Result<ProvenLeaf>(const PackId&, std::uint64_t leaf)> leaf;
    std::function<Result<Buffer>(const std::string& name, std::uint64_t bytes_max)> object;
};

struct RepairProgress {
    std::atomic<std::uint64_t> objects_done{0};
    std::atomic<std::uint64_t> objects_all{0};
    std::atomic<std::uint64_t> bytes_done{0};  // Fetched.
    std::atomic<bool> stop{false};
};

struct RepairSettings {
    std::vector<RepairSource> sources;
    std::string quarantine;  // A folder; made.
    RepairProgress* progress = nullptr;
};

struct Repaired {
    std::string object;
    std::string from;
    std::uint64_t fetched_bytes = 0;
};

struct RepairReport {
    std::vector<Repaired> mended;
    std::vector<Damage> left;   // What no source could mend, and why.
    std::vector<Damage> wrong;  // A source's name, and what it gave that is not what it names.
};

/// Mends what `damage` names. Errors: Full, Io (of the own vault), Interrupted; what was mended by
/// then is.
Result<RepairReport> repair(Vault& vault, const std::vector<Damage>& damage,
                            const RepairSettings& settings);

}  // namespace holdfast::vault
