#include "agent/node/partner_vault.h"

#include "agent/config/node_settings.h"
#include "agent/node/node_keys.h"
#include "agent/node/unlocked.h"
#include "replicator/control/control_client.h"
#include "vault/base/file.h"
#include "vault/keys/key_file.h"

#include <unistd.h>

namespace holdfast::agent {
namespace {

/// A damaged index is thrown away: it is a cache.
Result<std::unique_ptr<vault::ChunkIndex>> open_index(const std::string& path) {
    auto index = vault::ChunkIndex::open(path);
    if (index || index.error().code != Errc::Corrupt) return index;
    for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path + suffix).c_str());
    return vault::ChunkIndex::open(path);
}

Error told(Error error) {
    if (error.code != Errc::NotFound) return error;
    return {Errc::NotFound, "the partner holds nothing of this trust (" + error.message + ")"};
}

}  // namespace

Result<void> PartnerVault::load_domains(const std::string& keys_folder) {
    return store_->list("domain/", [&](const std::string& name) -> Result<void> {
        const DomainId id{HF_TRY(vault::id_in_name(name)).digest};
        const Buffer object = HF_TRY(store_->get_all(name, vault::record_bytes_max));
        vault::OwnDomain domain;
        domain.record = HF_TRY(vault::parse_domain(object, id, roster_).within(name));
        auto secrets = vault::read_key_file(keys_folder + "/domains/" + id.hex() + ".key", 2);
        if (!secrets && secrets.error().code != Errc::NotFound) return std::move(secrets).error();
        if (secrets) {
            domain.naming = std::move((*secrets)[0]);
            if (!(*secrets)[1].empty()) {
                domain.opening = vault::BoxKey::from_secret(std::move((*secrets)[1]));
                keys_->add_opening(id, vault::BoxKey::from_secret(domain.opening->secret.clone()));
            }
        }
        domains_.emplace(id, std::move(domain));
        return {};
    });
}

Result<std::unique_ptr<PartnerVault>> PartnerVault::open(const Home& home, const TrustId& partner) {
    const NodeSettings node = HF_TRY(load_node(home));
    AgentKeys agent = HF_TRY(read_agent_keys(home.keys));
    const auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    std::unique_ptr<PartnerVault> vault(new PartnerVault);
    vault->store_ = HF_TRY(replicator.store_at(partner));
    auto roster = vault::read_roster(*vault->store_, node.trust);
    if (!roster) return told(std::move(roster).error());
    vault->roster_ = std::move(*roster);
    HF_TRY(make_folders(home.state));
    vault->index_ = HF_TRY(open_index(home.state + "/at-" + partner.brief() + ".db"));
    vault->keys_.emplace(*vault->store_, std::move(agent.box));
    HF_TRY(vault->load_domains(home.keys));
    add_unlocked(node.trust, vault->domains_, *vault->keys_);
    vault->reader_ = std::make_unique<vault::VaultReader>(*vault->store_, *vault->index_,
                                                          *vault->keys_, vault->roster_);
    HF_TRY(vault->reader_->refresh());
    return vault;
}

}  // namespace holdfast::agent
