#include "replicator/witness/witness.h"

#include "replicator/tenancy/paper_people.h"
#include "replicator/tenancy/refusal.h"
#include "replicator/witness/witness_wire.h"

#include <algorithm>

namespace holdfast::replicator {
namespace {

/// All that a judge needs, for a worker.
struct Case {
    vault::Record record;
    Holder holder;
    vault::Roster owner;
    vault::Roster host;
    std::string papers;
    std::int64_t now_ms = 0;
};

Result<void> judge(const Case& one) {
    HF_TRY(check_host_signed(one.record, one.holder, one.host));
    const vault::People people = HF_TRY(people_in_papers(one.papers, one.owner));
    HF_TRY(people.two_persons(one.record, one.now_ms));
    return {};
}

WitnessReply refusal(WitnessReply::Kind kind, WitnessBook::Kept kept, const std::string& message) {
    return {kind, std::move(kept.object), message};
}

}  // namespace

std::string_view name_of(WitnessReply::Kind kind) {
    switch (kind) {
        case WitnessReply::Kind::Witnessed:
            return "witnessed";
        case WitnessReply::Kind::Taken:
            return "term_taken";
        case WitnessReply::Kind::Old:
            return "term_old";
        case WitnessReply::Kind::Fork:
            return "fork";
    }
    return "";
}

void Witness::add_routes(Router& router) {
    router.on(
        "POST", "/holders",
        [this](HttpRequest request, Responder respond) {
            answer_peer(request, std::move(respond));
        },
        holder_bytes_max);
    router.on("GET", "/holders/{owner}/{system}",
              [this](const HttpRequest& request, Responder respond) {
                  const auto found = [&]() -> Result<Buffer> {
                      const Partner* peer = HF_TRY(peer_of(core_, request));
                      const TrustId owner = HF_TRY(TrustId::from_text(request.param("owner")));
                      return newest(peer->trust, owner, request.param("system"));
                  }();
                  if (!found) return respond.send(refusal_response(found.error()));
                  respond.send({200, {{"content-type", "application/octet-stream"}}, *found});
              });
}

void Witness::answer_peer(const HttpRequest& request, Responder respond) {
    const auto peer = peer_of(core_, request);
    if (!peer) return respond.send(refusal_response(peer.error()));
    witness((*peer)->trust, request.body,
            [respond = std::move(respond)](Result<WitnessReply> reply) mutable {
                respond.send(reply ? peer_response(*reply) : refusal_response(reply.error()));
            });
}

Result<vault::Roster> Witness::roster_of(const TrustId& trust) const {
    if (trust != core_.own.trust) return HF_TRY(core_.partners.need(trust))->roster;
    return core_.own_rosters.newest();
}

Result<void> Witness::check_asker(const TrustId& asker, const TrustId& owner) const {
    if (owner == core_.own.trust) {
        return Error{Errc::Denied, "a trust is no witness of its own terms"};
    }
    HF_TRY(core_.partners.need(owner));
    if (asker == owner) return {};
    const auto agreements = HF_TRY(core_.promises.signed_by_owner(owner));
    const bool named = std::ranges::any_of(agreements, [&](const HeldAgreement& held) {
        return held.terms.names_witness(core_.own.trust) &&
               (held.terms.host == asker || held.terms.names_witness(asker));
    });
    if (named) return {};
    return refuse(Refusal::NotYours,
                  "no agreement known here lets you ask about that owner's systems");
}

Result<Witness::Question> Witness::question(const TrustId& asker, View object) const {
    Question asked;
    asked.record = HF_TRY(vault::parse_record(object));
    asked.holder = HF_TRY(parse_holder(asked.record));
    HF_TRY(check_asker(asker, asked.holder.owner));
    if (asker != asked.holder.owner && asker != asked.holder.host) {
        return refuse(Refusal::NotYours, "a term is brought by its owner or by its host");
    }
    return asked;
}

// What was judged once is not judged again: people may have left since.
void Witness::witness(const TrustId& asker, View object, Told told) {
    auto asked = question(asker, object);
    if (!asked) return told(asked.error());
    const auto known = book_.has(asked->holder, asked->record);
    if (!known) return told(known.error());
    if (*known) return told(keep(*asked));
    const auto owner = roster_of(asked->holder.owner);
    const auto host = roster_of(asked->holder.host);
    if (!owner) return told(owner.error());
    if (!host) return told(host.error());
    Case one{asked->record,
             asked->holder,
             *owner,
             *host,
             core_.tenancies.folder_of(asked->holder.owner) + "/papers",
             core_.clock.wall_ms()};
    const auto submitted = core_.pool.submit(
        [one = std::move(one)] { return judge(one); },
        [this, asked = std::move(*asked), told = std::move(told)](const Result<void>& judged) {
            told(judged ? keep(asked) : Result<WitnessReply>(judged.error()));
        });
    static_cast<void>(submitted.operator bool());  // A full pool drops `told`: 500 no_answer.
}

Result<WitnessReply> Witness::keep(const Question& asked) {
    const Holder& holder = asked.holder;
    auto answer = HF_TRY(book_.keep(holder, asked.record, core_.clock.wall_ms()));
    const std::string term = "term " + std::to_string(answer.record.term) + " of " + holder.system;
    switch (answer.kind) {
        case WitnessBook::Answer::Kind::Taken:
            return refusal(WitnessReply::Kind::Taken, std::move(answer.record),
                           term + " has another holder here");
        case WitnessBook::Answer::Kind::Old:
            return refusal(WitnessReply::Kind::Old, std::move(answer.record),
                           term + " is known here, a later one");
        case WitnessBook::Answer::Kind::Fork:
            return refusal(WitnessReply::Kind::Fork, std::move(answer.record),
                           term + " is another here than the one this record follows");
        case WitnessBook::Answer::Kind::Kept:
            break;
    }
    return WitnessReply{
        WitnessReply::Kind::Witnessed,
        make_witness_word({holder.owner, holder.system, holder.term, answer.record.digest,
                           core_.own.trust, core_.own.name, answer.record.time_ms},
                          core_.own.link),
        "kept"};
}

Result<Buffer> Witness::newest(const TrustId& asker, const TrustId& owner,
                               const std::string& system) {
    HF_TRY(check_asker(asker, owner));
    auto kept = HF_TRY(book_.newest(owner, system));
    if (kept) return std::move(kept->object);
    return Error{Errc::NotFound, "no term of that system is known here"};
}

}  // namespace holdfast::replicator
