// Kit partners: the partners that a recovery kit names, asked for who we are, and told.
#pragma once

#include "agent/recover/recover.h"
#include "replicator/peer/peer_client.h"

#include <string>
#include <vector>

namespace holdfast::agent {

/// One that answered and knows our trust.
struct ReachedPartner {
    vault::KitPartner partner;
    replicator::PeerClient client;
    std::vector<Buffer> rosters;  // Ours, as it has them.
};

/// The host of the settings among the kit's partners. Errors: NotFound, Invalid (ambiguous).
Result<vault::KitPartner> find_host(const vault::Kit& kit, const std::string& text);

/// Sends a return order. `identity` outlives it. Errors: Unreachable, Denied, Corrupt, Io.
Result<ReachedPartner> reach(const vault::KitPartner& partner, const vault::Kit& kit,
                             const vault::KitSecrets& secrets,
                             const replicator::TlsIdentity& identity, std::int64_t now_ms);

/// Writes a partner, and what was agreed with it, into the replicator's state of this node. What of
/// it does not hold becomes warnings. Errors: Unreachable, Denied, Corrupt, Full, Io.
Result<void> pair_again(const Home& home, ReachedPartner& reached, const vault::Roster& own,
                        std::int64_t now_ms, std::vector<std::string>& warnings);

}  // namespace holdfast::agent
