// Pairing, rosters and agreements.
#include "replicator/agreement/return_order.h"
#include "replicator/peer/peer_api.h"
#include "replicator/peer/wire.h"
#include "replicator/tenancy/refusal.h"

namespace holdfast::replicator {
namespace {

constexpr std::uint64_t pair_body_bytes_max = 4_MiB;

void answer(Responder& respond, const Result<std::string>& json) {
    respond.send(json ? json_response(200, *json) : refusal_response(json.error()));
}

}  // namespace

void PeerApi::add_routes(Router& router) {
    add_partner_routes(router);
    add_tenancy_routes(router);
}

void PeerApi::add_partner_routes(Router& router) {
    router.on(
        "POST", "/pair",
        [this](HttpRequest request, Responder respond) { pair(request, std::move(respond)); },
        pair_body_bytes_max);
    router.on(
        "POST", "/return",
        [this](HttpRequest request, Responder respond) { come_back(request, std::move(respond)); },
        vault::record_bytes_max);
    router.on("GET", "/roster", [this](HttpRequest request, Responder respond) {
        const auto peer = peer_of(request);
        answer(respond, peer ? own_rosters() : peer.error());
    });
    router.on(
        "PUT", "/roster",
        [this](HttpRequest request, Responder respond) { put_roster(request, std::move(respond)); },
        pair_body_bytes_max);
    router.on("GET", "/agreements", [this](HttpRequest request, Responder respond) {
        answer(respond, agreements(request));
    });
    router.on(
        "POST", "/agreements",
        [this](HttpRequest request, Responder respond) { answer(respond, put_agreement(request)); },
        vault::record_bytes_max);
}

Result<const Partner*> peer_of(const Core& core, const HttpRequest& request) {
    const Partner* peer = request.peer_key ? core.partners.by_key(*request.peer_key) : nullptr;
    if (peer != nullptr) return peer;
    return refuse(Refusal::UnknownPeer,
                  "your TLS key is not that of an active node in any partner's roster here");
}

Result<const Partner*> PeerApi::owner_of(const HttpRequest& request) const {
    const Partner* peer = HF_TRY(peer_of(request));
    if (request.param("trust") == peer->trust.hex()) return peer;
    return refuse(Refusal::NotYours, "only the owner's nodes reach its tenancy");
}

Result<Terms> PeerApi::terms_for(const Partner& owner) const {
    const auto agreement =
        HF_TRY(core_.promises.in_force(owner.trust, core_.own.trust, core_.clock.wall_ms()));
    if (agreement) {
        return Terms{agreement->number, agreement->quota_bytes, agreement->objects_max,
                     agreement->new_bytes_a_day};
    }
    return refuse(Refusal::NoAgreement,
                  "no agreement in date lets " + owner.name +
                      " store here: propose one, and have an officer of both trusts sign it");
}

Result<std::string> PeerApi::own_rosters() const {
    auto rosters = HF_TRY(core_.own_rosters.all());
    return encode(RosterChain{core_.own.trust, std::move(rosters)});
}

void PeerApi::pair(const HttpRequest& request, Responder respond) {
    const auto paired = [&]() -> Result<std::string> {
        if (!request.peer_key) return refuse(Refusal::UnknownPeer, "pairing needs a TLS key");
        PairCall call = HF_TRY(parse_pair_call(request.body));
        if (call.trust == core_.own.trust) {
            return Error{Errc::Invalid, "a trust is not its own partner"};
        }
        std::string rosters = HF_TRY(own_rosters());
        HF_TRY(core_.partners.pair({call.trust, std::move(call.address), *request.peer_key,
                                    std::move(call.rosters), call.token},
                                   core_.clock.wall_ms()));
        core_.tenancies.take_rosters(*core_.partners.find(call.trust));
        return rosters;
    };
    answer(respond, paired());
}

void PeerApi::come_back(const HttpRequest& request, Responder respond) {
    const auto checked = [&]() -> Result<std::string> {
        const Partner* partner = core_.partners.find(HF_TRY(return_order_trust(request.body)));
        if (partner == nullptr || !request.peer_key) {
            return Error{Errc::Denied, "a return order of a trust that is no partner"};
        }
        HF_TRY(check_return_order(request.body, partner->roster, core_.own.trust, *request.peer_key,
                                  core_.clock.wall_ms()));
        return encode(RosterChain{partner->trust, partner->rosters});
    };
    answer(respond, checked());
}

// Rosters prove themselves; so a node that is new in them may bring them.
void PeerApi::put_roster(const HttpRequest& request, Responder respond) {
    const auto taken = [&]() -> Result<std::string> {
        const RosterChain chain = HF_TRY(parse_roster_chain(request.body));
        const Partner* partner = core_.partners.find(chain.trust);
        if (partner == nullptr || !request.peer_key) {
            return refuse(Refusal::UnknownPeer, "that trust is no partner here");
        }
        const vault::Roster next = HF_TRY(core_.partners.preview(chain.trust, chain.rosters));
        const vault::RosterNode* node = next.node_by_tls_key(Digest{request.peer_key->digest});
        if (node == nullptr || node->state != vault::NodeState::Active) {
            return refuse(Refusal::UnknownPeer, "your TLS key is not in the roster that you bring");
        }
        if (HF_TRY(core_.partners.take_rosters(chain.trust, chain.rosters))) {
            core_.tenancies.take_rosters(*core_.partners.find(chain.trust));
        }
        return std::string("{}");
    };
    answer(respond, taken());
}

Result<std::string> PeerApi::agreements(const HttpRequest& request) {
    const Partner* peer = HF_TRY(peer_of(request));
    std::vector<Buffer> records;
    for (HeldAgreement& held : HF_TRY(core_.promises.agreements(core_.own.trust, peer->trust))) {
        records.push_back(std::move(held.object));
    }
    return encode_records(records);
}

Result<vault::Roster> PeerApi::roster_of(const TrustId& trust) const {
    if (trust != core_.own.trust) return HF_TRY(core_.partners.need(trust))->roster;
    return core_.own_rosters.newest();
}

// A witness keeps the agreements that name it: by them it knows who may ask. Whom an owner lets ask
// is the owner's to say, so its signature is enough, and the host may be a stranger here.
Result<std::string> PeerApi::put_agreement(const HttpRequest& request) {
    const Partner* peer = HF_TRY(peer_of(request));
    const vault::Record record = HF_TRY(vault::parse_record(request.body));
    const Agreement terms = HF_TRY(parse_agreement(record));
    if (terms.owner != peer->trust && terms.host != peer->trust) {
        return Error{Errc::Denied, "an agreement between other trusts"};
    }
    const vault::Roster owner = HF_TRY(roster_of(terms.owner));
    const bool ours = terms.owner == core_.own.trust || terms.host == core_.own.trust;
    auto host = roster_of(terms.host);
    if (!host && ours) return host.error();
    if (!host) {
        host = vault::Roster{};
        host->trust = terms.host;
    }
    const bool named = terms.names_witness(core_.own.trust);
    if (!ours && !(named && signatures_of(record, owner, *host).owner)) {
        return Error{Errc::Denied,
                     "an agreement that is not between us, and by which no owner names us as "
                     "witness"};
    }
    HF_TRY(core_.promises.put_agreement(request.body, owner, *host));
    return std::string("{}");
}

}  // namespace holdfast::replicator
