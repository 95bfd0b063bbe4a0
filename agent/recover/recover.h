// Recover: an empty machine becomes a node of its trust again, from the recovery kit and what a
// partner holds.
//
//   keys -> return order to every partner of the kit -> next roster, which revokes the lost nodes
//   and adds this one -> that roster to all who answered -> the whole vault from the host ->
//   domains' keys, from the recovery key -> systems, people, custodians -> partners and agreements
//   -> node.toml
//
// node.toml comes last and says that all of it is there. HOME/state/recover holds what an
// interrupted recovery goes on with: the trust's id and the roster that was signed, since a second
// one of the same number would be a fork. So it may be killed at any moment and is run again.
#pragma once

#include "agent/config/home.h"
#include "agent/config/node_settings.h"
#include "replicator/transfer/pull.h"
#include "vault/base/clock.h"
#include "vault/crypto/random.h"
#include "vault/keys/kit.h"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

struct RecoverSettings {
    std::string host;       // A partner's name in the kit, or the beginning of its id.
    std::string node_name;  // Empty: "node-N", the next that is free.
    std::optional<PeerSettings> peer;
    std::optional<ConsoleSettings> console;
};

struct RecoverReport {
    TrustId trust;
    std::string node;
    bool was_done = false;             // An earlier run had all but ended; the rest is empty.
    std::vector<std::string> revoked;  // Names of nodes.
    replicator::PullReport pulled;
    std::size_t snapshots = 0;
    std::vector<std::string> systems;  // Whose settings were brought back.
    std::size_t persons = 0;
    std::vector<std::string> partners;  // Paired with again.
    std::vector<std::string> warnings;
};

/// Errors: Conflict (a node already, or another's files), NotFound (the kit names no such partner;
/// the host holds nothing of ours), Unreachable (the host), Denied (the host is not who the kit
/// says, does not know this trust, or the kit is older than the trust's keys), Interrupted, Full,
/// Io. After Unreachable, Interrupted, Full and Io: run it again.
Result<RecoverReport> recover_node(const Home& home, const vault::Kit& kit,
                                   const vault::KitSecrets& secrets,
                                   const RecoverSettings& settings, const Clock& clock,
                                   vault::Random& random, replicator::PullProgress& progress);

}  // namespace holdfast::agent
