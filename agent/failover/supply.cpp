#include "agent/failover/supply.h"

#include "agent/failover/run_store.h"
#include "agent/failover/tenancy.h"
#include "vault/base/file.h"

namespace holdfast::agent {

Result<void> Supply::open_own(const Home& home) {
    node_ = HF_TRY(open_node(home));
    store_folder_ = home.vault;
    reader_ = std::make_unique<vault::VaultReader>(node_->vault->store(), *index_,
                                                   node_->vault->keys(), node_->vault->roster());
    return {};
}

Result<void> Supply::open_tenancy(const Home& home, const Run& run, RunStore& runs) {
    store_folder_ = tenancy_vault(home, run.owner);
    store_ = HF_TRY(vault::PosixStore::open(store_folder_));
    roster_ = HF_TRY(vault::read_roster(*store_, run.owner));
    keys_.emplace(*store_, std::nullopt);
    OpenedDomain opened = HF_TRY(open_for_run(home, run, runs, roster_));
    keys_->add_opening(opened.domain, std::move(opened.opening));
    reader_ = std::make_unique<vault::VaultReader>(*store_, *index_, *keys_, roster_);
    return {};
}

Result<std::unique_ptr<Supply>> Supply::open(const Home& home, const Run& run, RunStore& runs,
                                             const std::string& index_path) {
    std::unique_ptr<Supply> supply(new Supply);
    HF_TRY(make_folders(index_path.substr(0, index_path.rfind('/'))));
    supply->index_ = HF_TRY(vault::ChunkIndex::open(index_path));
    const NodeSettings node = HF_TRY(load_node(home));
    if (run.owner == node.trust) {
        HF_TRY(supply->open_own(home));
    } else {
        HF_TRY(supply->open_tenancy(home, run, runs));
    }
    HF_TRY(supply->reader_->refresh());
    return supply;
}

}  // namespace holdfast::agent
