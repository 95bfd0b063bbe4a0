#include "replicator/peer/peer_end.h"

namespace holdfast::replicator {

Result<PeerEnd> peer_end(const Partner& partner, const TrustId& own) {
    if (partner.address.empty()) {
        return Error{Errc::Invalid, partner.name + " gave no address: it calls us, we cannot call"};
    }
    const vault::RosterNode* node = partner.roster.node_by_tls_key(Digest{partner.tls_key.digest});
    if (node == nullptr || node->state != vault::NodeState::Active) {
        return Error{Errc::Denied, "the node of " + partner.name + " at " + partner.address +
                                       " was revoked: pair with another of its nodes"};
    }
    return PeerEnd{partner.address, partner.tls_key, own, 0};
}

}  // namespace holdfast::replicator
