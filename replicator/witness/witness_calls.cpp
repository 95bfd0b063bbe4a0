#include "replicator/witness/witness_calls.h"

#include "replicator/tenancy/refusal.h"

#include <map>

namespace holdfast::replicator {
namespace {

void send(Responder& respond, const Result<std::string>& json) {
    respond.send(json ? json_response(200, *json) : refusal_response(json.error()));
}

/// The one in date; if none is, the newest, since nothing has taken its place.
const Agreement& holding(const std::vector<const Agreement*>& by_number, std::int64_t now_ms) {
    for (auto at = by_number.rbegin(); at != by_number.rend(); ++at) {
        if ((*at)->in_date(now_ms)) return **at;
    }
    return *by_number.back();
}

}  // namespace

void WitnessCalls::add_routes(Router& router) {
    router.on("GET", "/witnesses/{owner}", [this](const HttpRequest& request, Responder respond) {
        const auto sets = [&]() -> Result<std::string> {
            return encode(HF_TRY(sets_of(HF_TRY(TrustId::from_text(request.param("owner"))))));
        };
        send(respond, sets());
    });
    router.on(
        "POST", "/witnesses/{witness}/holders",
        [this](const HttpRequest& request, Responder respond) { ask(request, std::move(respond)); },
        holder_bytes_max);
    router.on("GET", "/witnesses/{witness}/holders/{owner}/{system}",
              [this](const HttpRequest& request, Responder respond) {
                  newest(request, std::move(respond));
              });
}

Result<WitnessSet> WitnessCalls::set_of(const Agreement& terms) const {
    WitnessSet set;
    set.host = terms.host;
    set.agreement = terms.number;
    for (const TrustId& trust : terms.witnesses) {
        const Partner* partner = core_.partners.find(trust);
        std::string name = partner == nullptr ? std::string() : partner->name;
        if (trust == core_.own.trust) {
            name = HF_TRY(core_.own_rosters.newest()).name;
        }
        set.members.push_back({trust, std::move(name)});
    }
    return set;
}

Result<std::vector<WitnessSet>> WitnessCalls::sets_of(const TrustId& owner) const {
    const auto agreements = HF_TRY(core_.promises.signed_by_owner(owner));
    std::map<TrustId, std::vector<const Agreement*>> by_host;
    for (const HeldAgreement& held : agreements) {
        const bool ours = owner == core_.own.trust || held.terms.host == core_.own.trust;
        if (ours && held.signatures.both()) by_host[held.terms.host].push_back(&held.terms);
    }
    std::vector<WitnessSet> sets;
    for (const auto& [host, by_number] : by_host) {
        const Agreement& terms = holding(by_number, core_.clock.wall_ms());
        if (!terms.witnesses.empty()) sets.push_back(HF_TRY(set_of(terms)));
    }
    return sets;
}

Result<Introduction> WitnessCalls::to(const TrustId& witness) const {
    const Partner* partner = core_.partners.find(witness);
    if (partner != nullptr) return introduction_to(core_, *partner);
    return Error{Errc::Unreachable, "witness " + witness.brief() +
                                        " is no partner of ours: pair with it (holdfast partner)"};
}

void WitnessCalls::ask(const HttpRequest& request, Responder respond) {
    const auto trust = TrustId::from_text(request.param("witness"));
    if (!trust) return respond.send(refusal_response(trust.error()));
    if (*trust != core_.own.trust) return ask_partner(*trust, request.body, std::move(respond));
    witness_->witness(*trust, request.body,
                      [respond = std::move(respond)](const Result<WitnessReply>& reply) mutable {
                          send(respond, reply ? Result<std::string>(encode(*reply))
                                              : Result<std::string>(reply.error()));
                      });
}

// The word is checked here, where the witness's roster is at hand.
void WitnessCalls::ask_partner(const TrustId& witness, Buffer object, Responder respond) {
    auto call = to(witness);
    if (!call) return respond.send(refusal_response(call.error()));
    const auto submitted = calls_->submit(
        [call = std::move(*call), object = std::move(object),
         roster = core_.partners.find(witness)->roster]() -> Result<std::string> {
            const vault::Record record = HF_TRY(vault::parse_record(object));
            const HttpReply reply = HF_TRY(call_introduced(call, "POST", "/holders", object));
            const WitnessReply told = HF_TRY(parse_peer_reply(reply.status, reply.body));
            if (told.kind == WitnessReply::Kind::Witnessed) {
                HF_TRY(parse_witness_word(told.record, record, roster));
            }
            return encode(told);
        },
        [respond = std::move(respond)](const Result<std::string>& json) mutable {
            send(respond, json);
        });
    static_cast<void>(submitted.operator bool());  // A full pool answers 500 no_answer.
}

void WitnessCalls::newest(const HttpRequest& request, Responder respond) {
    const auto witness = TrustId::from_text(request.param("witness"));
    const auto owner = TrustId::from_text(request.param("owner"));
    const std::string& system = request.param("system");
    if (!witness) return respond.send(refusal_response(witness.error()));
    if (!owner) return respond.send(refusal_response(owner.error()));
    if (*witness == core_.own.trust) {
        const auto found = witness_->newest(*witness, *owner, system);
        return send(respond, found ? Result<std::string>(encode_record(*found))
                                   : Result<std::string>(found.error()));
    }
    auto call = to(*witness);
    if (!call) return respond.send(refusal_response(call.error()));
    const auto submitted = calls_->submit(
        [call = std::move(*call),
         path = "/holders/" + owner->hex() + "/" + system]() -> Result<std::string> {
            const HttpReply reply = HF_TRY(call_introduced(call, "GET", path, {}));
            if (reply.status != 200) return error_from(reply.status, reply.body);
            return encode_record(reply.body);
        },
        [respond = std::move(respond)](const Result<std::string>& json) mutable {
            send(respond, json);
        });
    static_cast<void>(submitted.operator bool());  // A full pool answers 500 no_answer.
}

}  // namespace holdfast::replicator
