#include "replicator/peer/introduction.h"

namespace holdfast::replicator {
namespace {

constexpr unsigned refused_status = 403;

/// Those of ours that name `witness`.
Result<void> add_agreements(const Core& core, const TrustId& owner, const TrustId& witness,
                            std::vector<Buffer>& out) {
    for (HeldAgreement& held : HF_TRY(core.promises.signed_by_owner(owner))) {
        const bool ours = owner == core.own.trust || held.terms.host == core.own.trust;
        if (ours && held.terms.names_witness(witness)) out.push_back(std::move(held.object));
    }
    return {};
}

}  // namespace

Result<Introduction> introduction_to(const Core& core, const Partner& partner) {
    PeerEnd end = HF_TRY(peer_end(partner, core.own.trust));
    Introduction out{std::move(end), core.own.tls.copy(), {}, {}};
    out.rosters = HF_TRY(core.own_rosters.all());
    HF_TRY(add_agreements(core, core.own.trust, partner.trust, out.agreements));
    for (const auto& [trust, owner] : core.partners.all()) {
        HF_TRY(add_agreements(core, trust, partner.trust, out.agreements));
    }
    return out;
}

// What the partner does not take of this it says again when it is asked the second time.
Result<HttpReply> call_introduced(const Introduction& introduction, const char* method,
                                  const std::string& path, View body) {
    PeerClient peer = HF_TRY(PeerClient::make(introduction.end, introduction.identity));
    HttpReply reply = HF_TRY(peer.exchange(method, path, body));
    if (reply.status != refused_status) return reply;
    static_cast<void>(peer.put_rosters(introduction.rosters).operator bool());
    for (const Buffer& object : introduction.agreements) {
        static_cast<void>(peer.put_agreement(object).operator bool());
    }
    return peer.exchange(method, path, body);
}

}  // namespace holdfast::replicator
