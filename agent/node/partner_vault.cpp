#include "agent/node/partner_vault.h"

#include "agent/config/node_settings.h"
#include "agent/node/node_keys.h"
#include "agent/node/unlocked.h"
#include "replicator/control/control_client.h"
#include "vault/base/file.h"

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
    std::vector<vault::Damage> damaged;
    domains_ = HF_TRY(vault::read_own_domains(*store_, roster_, keys_folder, damaged));
    if (!damaged.empty()) {
        return Error{Errc::Corrupt, damaged.front().object + ": " + damaged.front().what};
    }
    vault::add_openings(domains_, *keys_);
    return {};
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
    vault->keys_.emplace(*vault->store_, vault->roster_.seal, std::move(agent.box));
    HF_TRY(vault->load_domains(home.keys));
    add_unlocked(node.trust, vault->domains_, *vault->keys_);
    vault->reader_ = std::make_unique<vault::VaultReader>(*vault->store_, *vault->index_,
                                                          *vault->keys_, vault->roster_);
    HF_TRY(vault->reader_->refresh());
    return vault;
}

}  // namespace holdfast::agent
