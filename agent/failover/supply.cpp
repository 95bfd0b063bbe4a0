#include "agent/failover/supply.h"

#include "agent/failover/released.h"
#include "agent/failover/run_store.h"
#include "agent/failover/tenancy.h"
#include "agent/people/custody_files.h"
#include "vault/base/file.h"

namespace holdfast::agent {

namespace {

/// The opening key of a system in locked mode, from custodians' shares of the recovery secret.
Result<vault::BoxKey> recovered(const Node& node, const vault::OwnDomain& domain, const Run& run,
                                RunStore& runs) {
    const auto custody = load_custody(node);
    if (!custody && custody.error().code == Errc::NotFound) {
        return Error{Errc::Locked, run.system + " is locked, and " + custody.error().message};
    }
    if (!custody) return custody.error();
    std::vector<vault::OpenedShare> shares;
    for (const Buffer& handed : HF_TRY(runs.shares(run.id))) {
        shares.push_back(HF_TRY(vault::receive_share(handed, node.keys.box)));
    }
    const vault::BoxKey recovery = HF_TRY(vault::recover(*custody, node.vault->roster(), shares));
    vault::DomainKeys keys = HF_TRY(vault::open_domain(domain.record, recovery));
    return std::move(keys.opening);
}

/// Opens what this node can open. Keys of this run's own: an unlock ends with it.
Result<void> add_own_keys(const Node& node, const Run& run, RunStore& runs, vault::LazyKeys& keys) {
    for (const auto& [id, domain] : node.vault->domains()) {
        if (domain.opening) {
            keys.add_opening(id, vault::BoxKey::from_secret(domain.opening->secret.clone()));
        } else if (domain.record.name == run.system) {
            keys.add_opening(id, HF_TRY(recovered(node, domain, run, runs)));
        }
    }
    return {};
}

}  // namespace

Result<void> Supply::open_own(const Home& home, const Run& run, RunStore& runs) {
    node_ = HF_TRY(open_node(home));
    keys_.emplace(node_->vault->store(), node_->vault->roster().seal,
                  vault::BoxKey::from_secret(node_->keys.box.secret.clone()));
    HF_TRY(add_own_keys(*node_, run, runs, *keys_));
    store_folder_ = home.vault;
    reader_ = std::make_unique<vault::VaultReader>(node_->vault->store(), *index_, *keys_,
                                                   node_->vault->roster());
    return {};
}

Result<void> Supply::open_tenancy(const Home& home, const Run& run, RunStore& runs,
                                  std::int64_t now_ms) {
    store_folder_ = tenancy_vault(home, run.owner);
    store_ = HF_TRY(vault::PosixStore::open(store_folder_));
    roster_ = HF_TRY(vault::read_roster(*store_, run.owner));
    auto released = released_keys(home, runs, run, now_ms);
    if (!released && HF_TRY(runs.shares(run.id)).empty()) return released.error();
    if (released) released_ = *std::move(released);
    if (released_) {
        reader_ = std::make_unique<vault::VaultReader>(*store_, *index_, *released_, roster_);
        return {};
    }
    keys_.emplace(*store_, roster_.seal, std::nullopt);
    OpenedDomain opened = HF_TRY(open_for_run(home, run, runs, roster_));
    keys_->add_opening(opened.domain, std::move(opened.opening));
    reader_ = std::make_unique<vault::VaultReader>(*store_, *index_, *keys_, roster_);
    return {};
}

Result<std::unique_ptr<Supply>> Supply::open(const Home& home, const Clock& clock, const Run& run,
                                             RunStore& runs, const std::string& index_path) {
    std::unique_ptr<Supply> supply(new Supply);
    HF_TRY(make_folders(index_path.substr(0, index_path.rfind('/'))));
    supply->index_ = HF_TRY(vault::ChunkIndex::open(index_path));
    const NodeSettings node = HF_TRY(load_node(home));
    if (run.owner == node.trust) {
        HF_TRY(supply->open_own(home, run, runs));
    } else {
        HF_TRY(supply->open_tenancy(home, run, runs, clock.wall_ms()));
    }
    HF_TRY(supply->reader_->refresh());
    return supply;
}

}  // namespace holdfast::agent
