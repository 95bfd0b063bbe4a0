#include "replicator/control/control_api.h"

#include "replicator/control/hosted.h"
#include "replicator/pairing/words.h"
#include "replicator/peer/introduction.h"
#include "replicator/peer/run_wire.h"
#include "replicator/tenancy/refusal.h"

#include <pwd.h>

#include <array>

namespace holdfast::replicator {
namespace {

constexpr std::uint64_t record_body_max = vault::record_bytes_max;

void send(Responder& respond, const Result<HttpResponse>& answer) {
    respond.send(answer ? *answer : refusal_response(answer.error()));
}

/// The name of who connected, as this machine knows them.
std::string caller_name(const HttpRequest& request) {
    if (!request.peer_uid) return "somebody";
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> room{};
    (void)::getpwuid_r(*request.peer_uid, &entry, room.data(), room.size(), &found);
    return found != nullptr ? entry.pw_name : "user " + std::to_string(*request.peer_uid);
}

ClientRequest json_post(const std::string& path, const std::string& json) {
    ClientRequest ask;
    ask.method = "POST";
    ask.path = path;
    ask.headers = {{"content-type", "application/json"}};
    ask.body.assign(json.begin(), json.end());
    return ask;
}

/// A problem as the other end told it, for people.
template <class T>
std::string problem_of(const Result<T>& result) {
    return result ? std::string() : result.error().message;
}

}  // namespace

void ControlApi::add_routes(Router& router) {
    const auto answer = [](auto call) {
        return [call](HttpRequest request, Responder respond) { send(respond, call(request)); };
    };
    using Request = const HttpRequest&;
    router.on("POST", "/invite", answer([this](Request) { return invite(); }));
    router.on("POST", "/accept", [this](HttpRequest request, Responder respond) {
        accept(request, std::move(respond));
    });
    router.on("GET", "/partners", answer([this](Request) { return partners(); }));
    router.on("GET", "/partners/{trust}/rosters",
              answer([this](Request request) { return partner_rosters(request); }));
    router.on("POST", "/confirm", answer([this](Request request) { return confirm(request); }));
    router.on("GET", "/agreements",
              answer([this](Request request) { return agreements(request); }));
    router.on(
        "POST", "/agreements",
        [this](HttpRequest request, Responder respond) {
            put_agreement(std::move(request), std::move(respond));
        },
        record_body_max);
    router.on(
        "POST", "/papers",
        [this](HttpRequest request, Responder respond) {
            put_paper(std::move(request), std::move(respond));
        },
        record_body_max);
    router.on("POST", "/replicate", answer([this](Request request) { return replicate(request); }));
    router.on("GET", "/replicate", answer([this](Request) -> Answer {
                  return json_response(200, encode(transfers_->all()));
              }));
    router.on("GET", "/receipts", answer([this](Request request) { return receipts(request); }));
    add_hosted_routes(router, core_);
    router.on("GET", "/partner/{trust}/{rest...}", [this](HttpRequest request, Responder respond) {
        proxy(request, std::move(respond));
    });
    router.on(
        "POST", "/partner/{trust}/runs",
        [this](HttpRequest request, Responder respond) { order_run(request, std::move(respond)); },
        run_body_bytes_max);
    router.on(
        "POST", "/partner/{trust}/runs/{run}/{call}",
        [this](HttpRequest request, Responder respond) { call_run(request, std::move(respond)); },
        run_body_bytes_max);
}

Result<const Partner*> ControlApi::partner_in(const HttpRequest& request) const {
    const std::string* const text = request.query_value("partner");
    if (text == nullptr) return Error{Errc::Invalid, "say which partner: ?partner=ID"};
    return core_.partners.need(HF_TRY(TrustId::from_text(*text).within("partner")));
}

Result<PartnerInfo> ControlApi::info_of(const Partner& partner) {
    PartnerInfo info;
    info.trust = partner.trust;
    info.name = partner.name;
    info.address = partner.address;
    info.words = pairing_words({core_.own.trust, core_.own.tls.key_hash()},
                               {partner.trust, partner.tls_key});
    info.confirmed = partner.confirmed;
    info.paired_ms = partner.paired_ms;
    info.roster = partner.roster.number;
    info.tls_key = partner.tls_key;
    const std::int64_t now_ms = core_.clock.wall_ms();
    const auto owner = HF_TRY(core_.promises.in_force(core_.own.trust, partner.trust, now_ms));
    const auto host = HF_TRY(core_.promises.in_force(partner.trust, core_.own.trust, now_ms));
    info.agreement_as_owner = owner ? owner->number : 0;
    info.agreement_as_host = host ? host->number : 0;
    const auto receipts = HF_TRY(core_.promises.receipts(partner.trust));
    if (!receipts.empty()) info.newest_receipt_ms = receipts.front().time_ms;
    return info;
}

ControlApi::Answer ControlApi::invite() {
    if (core_.own.address.empty()) {
        return Error{Errc::Invalid,
                     "this node has no address that partners can dial: set address in [peer] of "
                     "node.toml, or accept an invitation of theirs"};
    }
    Invitation invitation;
    invitation.trust = core_.own.trust;
    invitation.name = HF_TRY(core_.own_rosters.newest()).name;
    invitation.address = core_.own.address;
    invitation.tls_key = core_.own.tls.key_hash();
    invitation.token = vault::system_random().id<PairingToken>();
    const std::int64_t now_ms = core_.clock.wall_ms();
    invitation.expires_ms = now_ms + invitation_life_ms;
    HF_TRY(core_.partners.invite(invitation.token, now_ms));
    return json_response(200, encode_text("invitation", invitation_text(invitation)));
}

void ControlApi::accept(const HttpRequest& request, Responder respond) {
    const auto text = parse_text(request.body, "invitation", invitation_bytes_max);
    auto invitation = text ? parse_invitation(*text) : Result<Invitation>(text.error());
    if (invitation && invitation->trust == core_.own.trust) {
        invitation = Error{Errc::Invalid, "this is an invitation of this trust itself"};
    }
    const auto rosters = core_.own_rosters.all();
    if (!invitation) return respond.fail(invitation.error());
    if (!rosters) return respond.fail(rosters.error());
    const PairCall call{invitation->token, core_.own.trust, core_.own.address, *rosters};
    const PeerEnd end{invitation->address, invitation->tls_key, core_.own.trust, 0};
    const auto submitted = calls_->submit(
        [call, end, identity = core_.own.tls.copy()]() -> Result<RosterChain> {
            PeerClient peer = HF_TRY(PeerClient::make(end, identity));
            return peer.pair(call);
        },
        [this, invitation = *invitation,
         respond = std::move(respond)](Result<RosterChain> chain) mutable {
            send(respond, chain ? accepted(invitation, *chain) : Answer(chain.error()));
        });
    static_cast<void>(submitted.operator bool());  // A full pool answers 500 no_answer.
}

ControlApi::Answer ControlApi::accepted(const Invitation& invitation, const RosterChain& chain) {
    if (chain.trust != invitation.trust) {
        return Error{Errc::Denied, "another trust than the invitation's answered"};
    }
    HF_TRY(core_.partners.pair(
        {invitation.trust, invitation.address, invitation.tls_key, chain.rosters, std::nullopt},
        core_.clock.wall_ms()));
    return json_response(200,
                         encode(HF_TRY(info_of(*HF_TRY(core_.partners.need(invitation.trust))))));
}

ControlApi::Answer ControlApi::partners() {
    std::vector<PartnerInfo> all;
    for (const auto& [trust, partner] : core_.partners.all()) {
        all.push_back(HF_TRY(info_of(partner)));
    }
    return json_response(200, encode(all));
}

ControlApi::Answer ControlApi::partner_rosters(const HttpRequest& request) {
    const Partner* partner =
        HF_TRY(core_.partners.need(HF_TRY(TrustId::from_text(request.param("trust")))));
    return json_response(200, encode(RosterChain{partner->trust, partner->rosters}));
}

ControlApi::Answer ControlApi::confirm(const HttpRequest& request) {
    const std::string text = HF_TRY(parse_text(request.body, "partner", 64));
    const TrustId trust = HF_TRY(TrustId::from_text(text).within("partner"));
    HF_TRY(core_.partners.confirm(trust));
    return json_response(200, encode(HF_TRY(info_of(*HF_TRY(core_.partners.need(trust))))));
}

ControlApi::Answer ControlApi::agreements(const HttpRequest& request) {
    const Partner* partner = HF_TRY(partner_in(request));
    return json_response(
        200, encode(HF_TRY(core_.promises.agreements(core_.own.trust, partner->trust))));
}

void ControlApi::put_agreement(HttpRequest request, Responder respond) {
    const auto stored = [&]() -> Result<std::pair<const Partner*, HeldAgreement>> {
        const Agreement terms = HF_TRY(parse_agreement(HF_TRY(vault::parse_record(request.body))));
        const bool we_own = terms.owner == core_.own.trust;
        const Partner* partner = HF_TRY(core_.partners.need(we_own ? terms.host : terms.owner));
        const vault::Roster own = HF_TRY(core_.own_rosters.newest());
        return std::pair(partner, HF_TRY(core_.promises.put_agreement(
                                      request.body, we_own ? own : partner->roster,
                                      we_own ? partner->roster : own)));
    }();
    if (!stored) return respond.send(refusal_response(stored.error()));
    const auto end = peer_end(*stored->first, core_.own.trust);
    if (!end) {
        return respond.send(
            json_response(200, encode(AgreementStored{false, end.error().message})));
    }
    const auto submitted = calls_->submit(
        [end = *end, object = stored->second.object,
         identity = core_.own.tls.copy()]() -> Result<void> {
            PeerClient peer = HF_TRY(PeerClient::make(end, identity));
            return peer.put_agreement(object);
        },
        [respond = std::move(respond)](const Result<void>& brought) mutable {
            respond.send(json_response(
                200, encode(AgreementStored{static_cast<bool>(brought), problem_of(brought)})));
        });
    static_cast<void>(submitted.operator bool());  // It is stored; the next transfer brings it.
}

void ControlApi::put_paper(HttpRequest request, Responder respond) {
    const auto partner = partner_in(request);
    auto call = partner ? introduction_to(core_, **partner) : Result<Introduction>(partner.error());
    if (!call) return respond.fail(call.error());
    const std::string path = "/trusts/" + core_.own.trust.hex() + "/papers";
    const auto submitted = calls_->submit(
        [call = std::move(*call), path, object = std::move(request.body)]() -> Result<void> {
            const HttpReply reply = HF_TRY(call_introduced(call, "POST", path, object));
            if (!reply.ok()) return error_from(reply.status, reply.body);
            return {};
        },
        [respond = std::move(respond)](const Result<void>& brought) mutable {
            respond.send(brought ? json_response(200, "{}") : refusal_response(brought.error()));
        });
    static_cast<void>(submitted.operator bool());  // A full pool answers 500 no_answer.
}

ControlApi::Answer ControlApi::replicate(const HttpRequest& request) {
    std::vector<std::uint64_t> ids;
    if (request.query_value("partner") != nullptr) {
        ids.push_back(HF_TRY(transfers_->start(HF_TRY(partner_in(request))->trust)));
    } else {
        ids = HF_TRY(transfers_->start_all());
    }
    return json_response(202, encode_ids(ids));
}

ControlApi::Answer ControlApi::receipts(const HttpRequest& request) {
    std::vector<ReceiptInfo> all;
    for (HeldReceipt& held : HF_TRY(core_.promises.receipts(HF_TRY(partner_in(request))->trust))) {
        all.push_back({held.list, held.time_ms, std::move(held.object)});
    }
    return json_response(200, encode(all));
}

void ControlApi::proxy(const HttpRequest& request, Responder respond) {
    ClientRequest ask;
    ask.method = request.method;
    ask.path = request.param("rest");
    char mark = '?';
    for (const auto& [name, value] : request.query) {
        ask.path += mark + name + "=" + value;
        mark = '&';
    }
    if (const std::string* range = request.header("range"); range && range->starts_with("bytes=")) {
        ask.range = range->substr(6);
    }
    ask_partner(request.param("trust"), std::move(ask), std::move(respond));
}

void ControlApi::order_run(const HttpRequest& request, Responder respond) {
    auto question = parse_run_question(request.body);
    if (!question) return respond.fail(question.error());
    if (question->ordered_by.empty()) question->ordered_by = caller_name(request);
    ask_partner(request.param("trust"), json_post("runs", encode(*question)), std::move(respond));
}

void ControlApi::call_run(const HttpRequest& request, Responder respond) {
    const auto call = run_call(request.param("call"));
    if (!call) return respond.fail(404, "not_found", "there is no such call of a run");
    const auto number = run_number(request.param("run"));
    if (!number) return respond.fail(number.error());
    auto body = run_call_body(*call, request.body);
    if (!body) return respond.fail(body.error());
    ask_partner(request.param("trust"),
                json_post("runs/" + *number + "/" + request.param("call"), *std::move(body)),
                std::move(respond));
}

/// `ask.path` is below our own tenancy at the partner.
void ControlApi::ask_partner(const std::string& trust_text, ClientRequest ask, Responder respond) {
    const auto trust = TrustId::from_text(trust_text);
    const auto partner =
        trust ? core_.partners.need(*trust) : Result<const Partner*>(trust.error());
    const auto end =
        partner ? peer_end(**partner, core_.own.trust) : Result<PeerEnd>(partner.error());
    if (!end) return respond.fail(end.error());
    ask.path = "/trusts/" + core_.own.trust.hex() + "/" + ask.path;
    ask.reply_bytes_max = proxied_bytes_max;
    HttpPeer peer;
    peer.base_url = "https://" + end->address;
    peer.key = end->key;
    ClientEvents events;
    events.done = [respond = std::move(respond)](Result<HttpReply> reply) mutable {
        if (!reply) return respond.fail(reply.error());
        const std::string* const type = reply->header("content-type");
        respond.send({reply->status,
                      {{"content-type", type == nullptr ? "application/octet-stream" : *type}},
                      std::move(reply->body)});
    };
    client_->start(peer, std::move(ask), std::move(events)).detach();
}

}  // namespace holdfast::replicator
