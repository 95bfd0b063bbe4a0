// PartnerVault: this trust's vault as a partner holds it, opened with this node's keys. The own
// vault is not needed; the node must run, since its replicator makes the connection.
//
// What a host gives is believed as far as it proves itself: packs against their names, entries
// against the roster, and that against the trust's id. One thread, but for ChunkReaders.
#pragma once

#include "agent/config/home.h"
#include "vault/vault.h"

#include <map>
#include <memory>
#include <optional>

namespace holdfast::agent {

class PartnerVault {
public:
    /// The index is kept in HOME/state, one for each partner, so that the second look is quick.
    /// Errors: Unreachable (the node does not run, or the partner does not answer), NotFound (no
    /// such partner, or it holds nothing of ours), Denied, Corrupt, Io.
    static Result<std::unique_ptr<PartnerVault>> open(const Home& home, const TrustId& partner);

    const vault::Roster& roster() const { return roster_; }
    const vault::Store& store() const { return *store_; }
    vault::VaultReader& reader() { return *reader_; }
    vault::LazyKeys& keys() { return *keys_; }
    const std::map<DomainId, vault::OwnDomain>& domains() const { return domains_; }

private:
    PartnerVault() = default;
    Result<void> load_domains(const std::string& keys_folder);

    std::unique_ptr<vault::Store> store_;
    vault::Roster roster_;
    std::unique_ptr<vault::ChunkIndex> index_;
    std::optional<vault::LazyKeys> keys_;
    std::map<DomainId, vault::OwnDomain> domains_;
    std::unique_ptr<vault::VaultReader> reader_;
};

}  // namespace holdfast::agent
