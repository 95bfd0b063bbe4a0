// Supply: where a run's data comes from: this trust's own vault, or a partner's tenancy here.
//
// The own vault opens with this node's keys, or, for a system in locked mode, with enough shares of
// the recovery secret. A tenancy opens with a release, if the owner's node made one for the run:
// that shows one snapshot; else with an envelope, and that with enough custodians' shares. People
// bring all of these to the run.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run.h"
#include "agent/node/node.h"
#include "vault/base/clock.h"
#include "vault/keys/release.h"
#include "vault/vault_reader.h"

#include <memory>
#include <optional>
#include <string>

namespace holdfast::agent {

class RunStore;

class Supply {
public:
    /// Opens it, with a chunk index at `index_path`. Errors: Locked (shares are wanting: says how
    /// many), NotFound (no such tenancy), those of released_keys() and of VaultReader::refresh().
    static Result<std::unique_ptr<Supply>> open(const Home& home, const Clock& clock,
                                                const Run& run, RunStore& runs,
                                                const std::string& index_path);

    const std::string& store_folder() const { return store_folder_; }
    vault::VaultReader& reader() { return *reader_; }
    bool own() const { return node_.has_value(); }
    /// While it is held no prune moves what this stands on; of nothing for a tenancy. Errors: Io.
    Result<Fd> hold_still() const {
        return node_ ? node_->vault->lock_commits() : Result<Fd>(Fd());
    }
    /// It shows one snapshot, and what else is here stays sealed.
    bool released() const { return released_.has_value(); }

private:
    Supply() = default;
    Result<void> open_own(const Home& home, const Run& run, RunStore& runs);
    Result<void> open_tenancy(const Home& home, const Run& run, RunStore& runs,
                              std::int64_t now_ms);

    std::string store_folder_;
    std::optional<Node> node_;
    std::optional<vault::PosixStore> store_;  // Of a tenancy.
    std::optional<vault::LazyKeys> keys_;
    std::optional<vault::ReleaseKeys> released_;
    vault::Roster roster_;
    std::unique_ptr<vault::ChunkIndex> index_;
    std::unique_ptr<vault::VaultReader> reader_;
};

}  // namespace holdfast::agent
