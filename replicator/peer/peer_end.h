// Peer end: how to call a partner, by what is known of it.
#pragma once

#include "replicator/peer/peer_client.h"
#include "replicator/state/partners.h"

namespace holdfast::replicator {

/// Errors: Invalid (it has no address), Denied (its node was revoked).
Result<PeerEnd> peer_end(const Partner& partner, const TrustId& own);

}  // namespace holdfast::replicator
