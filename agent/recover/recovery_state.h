// Recovery state: HOME/state/recover, which an interrupted recovery goes on with.
//
//     trust     the id of the trust that is being recovered here
//     roster    the roster that was signed for this node, before anybody has seen it
#pragma once

#include "agent/config/home.h"
#include "agent/node/node_keys.h"
#include "vault/crypto/random.h"

#include <optional>
#include <string>

namespace holdfast::agent {

class RecoveryState {
public:
    /// Begins, or goes on. Errors: Conflict (the home is in use, or another trust's recovery is
    /// unfinished), Full, Io.
    static Result<RecoveryState> begin(const Home& home, const TrustId& trust);

    /// This node's keys, made if there are none yet. Errors: Corrupt, Full, Io.
    Result<AgentKeys> agent_keys(vault::Random& random) const;
    Result<LinkKeys> link_keys(vault::Random& random) const;

    Result<std::optional<Buffer>> roster() const;
    Result<void> keep_roster(View object) const;

    /// All is there. Errors: Io.
    Result<void> end() const { return end_of(home_); }
    static Result<void> end_of(const Home& home);

    /// True if node.toml is there and this was not ended yet.
    static bool only_end_is_missing(const Home& home);

private:
    explicit RecoveryState(const Home& home) : home_(home) {}

    Home home_;
};

}  // namespace holdfast::agent
