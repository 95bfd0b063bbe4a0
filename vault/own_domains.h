// Own domains: the domain records in force in a store, and what this node's key files open of them.
#pragma once

#include "vault/keys/domain.h"
#include "vault/lazy_keys.h"
#include "vault/vault_reader.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::vault {

/// A domain as this node can use it.
struct OwnDomain {
    DomainRecord record;
    std::optional<BoxKey> opening;  // Not in locked mode.
    std::optional<Secret> naming;   // Not on a node that never had it.
};

/// The records of the roster's seal. One that does not hold is left out, and told in `damaged`.
/// Errors: those of the store.
Result<std::vector<DomainRecord>> read_domains(const Store& store, const Roster& roster,
                                               std::vector<Damage>& damaged);

/// The same with the keys in `keys_folder`. Errors: as above, Corrupt or Denied (a key file).
Result<std::map<DomainId, OwnDomain>> read_own_domains(const Store& store, const Roster& roster,
                                                       const std::string& keys_folder,
                                                       std::vector<Damage>& damaged);

/// KEYS_FOLDER/domains/ID[-SEAL].key
std::string domain_key_path(const std::string& keys_folder, const DomainId& id,
                            const std::string& seal);
/// Keeps the opening key only if the domain's lives on nodes. Errors: Full, Io.
Result<void> write_domain_keys(const std::string& keys_folder, const DomainId& id,
                               const std::string& seal, OpeningKeys mode, const DomainKeys& keys);

/// Gives `keys` the openings that are there.
void add_openings(const std::map<DomainId, OwnDomain>& domains, LazyKeys& keys);

}  // namespace holdfast::vault
