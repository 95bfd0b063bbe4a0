// VaultAt: the vault that a verb reads: this node's own, or what a partner holds of it (--from).
#pragma once

#include "agent/node/node.h"
#include "agent/node/partner_vault.h"

#include <memory>
#include <optional>
#include <string>

namespace holdfast::agent::cli {

struct VaultAt {
    std::optional<Node> node;               // The own one, kept whole by
    vault::Presence presence;               // this while it is read,
    std::unique_ptr<PartnerVault> partner;  // or this.

    vault::VaultReader& reader() { return node ? node->vault->reader() : partner->reader(); }
    vault::LazyKeys& keys() { return node ? node->vault->keys() : partner->keys(); }
    const vault::Roster& roster() const { return node ? node->vault->roster() : partner->roster(); }
    const std::map<DomainId, vault::OwnDomain>& domains() const {
        return node ? node->vault->domains() : partner->domains();
    }
};

/// `from` is a partner as people name it; empty: the own vault. Errors: those of open_node() and
/// PartnerVault::open(); a vault that is gone says that --from may help.
Result<VaultAt> open_vault_at(const Home& home, const std::string& from);

}  // namespace holdfast::agent::cli
