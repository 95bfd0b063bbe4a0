// witness: a majority of the witnesses keeps our holder record, and so will keep no other of this
// term; or two people say in words what no majority could.
//
// Asked again after a restart of the machine, it tells whether there is a later term by now: a
// witness that knows one refuses ours. Asking twice does no harm.
#include "agent/failover/approval.h"
#include "agent/failover/holder.h"
#include "agent/failover/step.h"
#include "agent/failover/terms.h"
#include "agent/failover/witnesses.h"
#include "agent/failover/wording.h"
#include "vault/base/fault.h"
#include "vault/crypto/base64.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::size_t attesting_people = 2;

std::string joined(const std::vector<std::string>& texts, const char* between) {
    std::string out;
    for (const std::string& one : texts) out += (out.empty() ? "" : between) + one;
    return out;
}

WitnessFact fact_of(const WitnessAnswer& answer) {
    WitnessFact fact;
    fact.trust = answer.witness.trust.hex();
    fact.name = name_of(answer.witness);
    fact.outcome = answer.reply ? std::string(replicator::name_of(answer.reply->kind)) : "silent";
    fact.said = answer.reply ? answer.reply->message : answer.reply.error().message;
    if (answer.reply) fact.record = vault::to_base64(answer.reply->record);
    return fact;
}

/// True if what a witness keeps instead of ours holds: it is taken in if it is later, and kept
/// beside ours if it contradicts it. A witness that shows anything else has said nothing.
Result<bool> opposes(StepContext& context, View object) {
    const auto taken = take_holder(context.home, context.store, object, context.clock.wall_ms());
    const bool conflict = !taken && taken.error().code == Errc::Conflict;
    if (!taken && !conflict) return false;
    const Holder other = HF_TRY(parse_holder(HF_TRY(vault::parse_record(object))));
    if (conflict) {
        HF_TRY(context.store.add_conflict(other.owner, other.system,
                                          {other.term, 0, Buffer(object.begin(), object.end())}));
    }
    return other.owner == context.run.owner && other.system == context.run.system;
}

/// That no witness has another record.
Result<void> check_unopposed(StepContext& context, const std::vector<WitnessAnswer>& answers) {
    for (const WitnessAnswer& one : answers) {
        if (!one.reply || one.reply->kind == WitnessReply::Kind::Witnessed) continue;
        if (!HF_TRY(opposes(context, one.reply->record))) continue;
        return Error{Errc::Conflict, "ALARM, ANOTHER HOLDER: " + name_of(one.witness) +
                                         " says: " + one.reply->message +
                                         ". Both records are kept; find out who runs " +
                                         context.run.system + " before anything else"};
    }
    return {};
}

std::string question_about(const Run& run, const std::vector<std::string>& witnesses) {
    const std::string term = "term " + std::to_string(run.facts.term) + " of " + run.system;
    const std::string who = witnesses.empty()
                                ? "This node cannot find out who the witnesses are. "
                                : "No majority of the witnesses (" + joined(witnesses, ", ") +
                                      ") has confirmed " + term + ". ";
    return who + "Are you sure that nobody else holds " + term + " or a later one?";
}

/// Nothing is asked of people any more.
StepResult settled(StepContext& context, const std::string& text) {
    context.run.facts.about.clear();
    context.run.facts.question.clear();
    return StepResult{true, text};
}

/// Waits until two people have said so. `why` is what the witnesses said, or why none was asked.
Result<StepResult> people_instead(StepContext& context, const std::vector<std::string>& witnesses,
                                  const std::string& why) {
    RunFacts& facts = context.run.facts;
    facts.about = about_witnesses;
    facts.question = question_about(context.run, witnesses);
    facts.people = HF_TRY(signatories(context.home, context.store, context.run));
    std::vector<std::string> sure;
    for (const Signatory& person : facts.people) {
        if (!person.vouched.empty()) sure.push_back(person.name);
    }
    if (sure.size() < attesting_people) {
        return StepResult{false, why + ". Two people must attest instead" +
                                     (sure.empty() ? "" : ", " + joined(sure, " and ") + " does") +
                                     ": " + facts.question + " (holdfast run approve --attest)"};
    }
    facts.remarks.push_back("opened without a majority of witnesses: " + why + "; " +
                            joined(sure, " and ") + " attest that nobody else holds this term");
    return settled(context, facts.remarks.back());
}

/// Who said what.
struct Said {
    std::set<TrustId> by;  // Who keep our record.
    std::vector<std::string> names, kept_by, others;
};

void note(const WitnessAnswer& answer, const WitnessFact& fact, Said& said) {
    said.names.push_back(fact.name);
    if (answer.reply && answer.reply->kind == WitnessReply::Kind::Witnessed) {
        said.by.insert(answer.witness.trust);
        said.kept_by.push_back(fact.name);
    } else {
        said.others.push_back(fact.name + ": " + fact.said);
    }
}

}  // namespace

Result<StepResult> witness(StepContext& context) {
    Run& run = context.run;
    const auto panel = witnesses_of(context.home, run.owner);
    if (!panel) return people_instead(context, {}, panel.error().message);
    run.facts.witnesses.clear();
    if (panel->empty()) return settled(context, "no witness was named");
    const Buffer order = vault::encode(HF_TRY(order_of(context.store, run)));
    const auto answers = ask_witnesses(context.home, *panel, order);
    fault_point("witnesses asked");
    Said said;
    for (const WitnessAnswer& one : answers) {
        run.facts.witnesses.push_back(fact_of(one));
        note(one, run.facts.witnesses.back(), said);
    }
    HF_TRY(context.store.set_facts(run.id, run.facts));
    HF_TRY(check_unopposed(context, answers));
    const std::string count = std::to_string(said.by.size()) + " of " +
                              count_text(answers.size(), "witness", "witnesses");
    if (panel->majority(said.by)) {
        return settled(context, "term " + std::to_string(run.facts.term) + " is kept by " +
                                    joined(said.kept_by, ", ") + " (" + count + ")");
    }
    return people_instead(context, said.names,
                          "only " + count + " confirmed it (" + joined(said.others, "; ") + ")");
}

}  // namespace holdfast::agent
