#include "agent/failover/approval.h"

#include "agent/config/node_settings.h"
#include "agent/failover/holder.h"
#include "agent/failover/tenancy.h"
#include "agent/failover/terms.h"
#include "agent/failover/witnesses.h"
#include "agent/node/node.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

/// The one signature of a record that a person brings. Errors: Denied.
Result<PublicKey> signer_of(const vault::Record& record) {
    if (record.signatures.empty() || !vault::signed_by(record, record.signatures.back().signer)) {
        return Error{Errc::Denied, "the signature does not hold"};
    }
    return record.signatures.back().signer;
}

/// Approvers and operators sign; one of the two must be an approver, which authorise asks.
Result<vault::PersonCertificate> who_may_sign(const PeopleBook& book, const PublicKey& key,
                                              std::int64_t now_ms) {
    const Result<void> approver = book.people().may(key, vault::Role::Approver, now_ms);
    if (!approver && !book.people().may(key, vault::Role::Operator, now_ms)) {
        return approver.error();
    }
    return *book.people().by_key(key);
}

/// One person may come to have two keys: it is persons who are counted.
Result<void> check_second_person(const PeopleBook& book, const vault::Record& order,
                                 const vault::PersonCertificate& person) {
    for (const vault::RecordSignature& one : order.signatures) {
        const vault::PersonCertificate* before = book.people().by_key(one.signer);
        if (before != nullptr && before->person == person.person) {
            return Error{Errc::Conflict,
                         person.name + " has signed already; a second person must sign"};
        }
    }
    return {};
}

Result<bool> has_attested(const Home& home, RunStore& store, const Run& run,
                          const PublicKey& person, const std::string& about) {
    const TrustId host = HF_TRY(load_node(home)).trust;
    for (const Buffer& bytes : HF_TRY(store.attestations(run.id))) {
        const vault::Record record = HF_TRY(vault::parse_record(bytes));
        const bool same = HF_TRY(parse_attestation(record, host)).about == about;
        if (same && vault::signed_by(record, person)) return true;
    }
    return false;
}

/// In place of witnesses people may only answer the question that stands now, word for word.
Result<void> check_asked(const Run& run, const Attestation& attestation) {
    if (attestation.about != about_witnesses) return {};
    if (run.facts.about == about_witnesses && attestation.question == run.facts.question) return {};
    return Error{Errc::Conflict,
                 run.name() + " does not ask that question now: look again (holdfast run show)"};
}

Result<Attestation> read_attestation(const Home& home, const Run& run, View bytes,
                                     const PublicKey& person, const vault::Record& order) {
    const vault::Record record = HF_TRY(vault::parse_record(bytes));
    const TrustId host = HF_TRY(load_node(home)).trust;
    Attestation attestation = HF_TRY(parse_attestation(record, host));
    if (HF_TRY(signer_of(record)) != person || attestation.holder != holder_digest(order)) {
        return Error{Errc::Denied, "the attestation is another person's, or of another order"};
    }
    HF_TRY(check_asked(run, attestation));
    return attestation;
}

/// What the witnesses know of terms, before the next is chosen. Whatever they cannot say is told.
Result<void> ask_for_terms(StepContext& context) {
    RunFacts& facts = context.run.facts;
    const auto news = learn_terms(context.home, context.store, context.run.owner,
                                  context.run.system, context.clock.wall_ms());
    if (!news && news.error().code != Errc::Unreachable) return news.error();
    if (!news) {
        facts.remarks.push_back("no witness was asked for the last term: " + news.error().message);
        return {};
    }
    for (const std::string& alarm : news->alarms) facts.remarks.push_back("ALARM: " + alarm);
    for (const std::string& silent : news->silent) {
        facts.remarks.push_back("did not say what the last term was: " + silent);
    }
    return {};
}

/// The record that the next term follows: where there are two, the one that a witness keeps.
Result<Digest> previous_of(RunStore& store, const Run& run, const StoredHolder& newest) {
    const auto others = HF_TRY(store.conflicts(run.owner, run.system, newest.term));
    return holder_digest(
        HF_TRY(vault::parse_record(others.empty() ? View(newest.record) : View(others.front()))));
}

}  // namespace

Result<PeopleBook> people_of(const Home& home, const TrustId& owner) {
    const NodeSettings node = HF_TRY(load_node(home));
    if (owner == node.trust) {
        const auto store = HF_TRY(vault::PosixStore::open(home.vault));
        return PeopleBook::load(home, HF_TRY(vault::read_roster(store, owner)));
    }
    const auto store = HF_TRY(vault::PosixStore::open(tenancy_vault(home, owner)));
    return PeopleBook::load_papers(papers_folder(home, owner),
                                   HF_TRY(vault::read_roster(store, owner)));
}

Result<vault::Record> order_of(RunStore& store, const Run& run) {
    if (run.kind == RunKind::Drill) {
        return Error{Errc::Conflict, "a drill needs no signatures, and can never open anything"};
    }
    const auto bytes = HF_TRY(store.order(run.id));
    if (!bytes) {
        return Error{Errc::Conflict,
                     "there is nothing to sign yet: the copy is not proven (holdfast run show)"};
    }
    return vault::parse_record(*bytes);
}

Result<std::string> fence_question(RunStore& store, const Run& run, const SystemSettings& plan) {
    std::string question = plan.fence ? plan.fence->say : "";
    const auto held = HF_TRY(store.newest_holder(run.owner, run.system));
    if (!held || held->run == run.id || held->term <= plan.term) return question;
    if (!question.empty()) question += " ";
    const std::string term = std::to_string(held->term);
    if (held->run != 0 && HF_TRY(store.run(held->run)).state == RunState::Closed) {
        return question + "Term " + term +
               " was open here and is stopped: what was written under "
               "it is not in this copy.";
    }
    const Holder holder = HF_TRY(parse_holder(HF_TRY(vault::parse_record(held->record))));
    return question + "And has " + run.system + " stopped at " + holder.node +
           ", which holds term " + term + "? What was written there is not in this copy.";
}

Result<void> make_order(StepContext& context) {
    Run& run = context.run;
    if (HF_TRY(context.store.order(run.id))) return {};
    const NodeSettings node = HF_TRY(load_node(context.home));
    HF_TRY(ask_for_terms(context));
    const auto newest = HF_TRY(context.store.newest_holder(run.owner, run.system));
    Holder holder;
    holder.owner = run.owner;
    holder.system = run.system;
    holder.term = newest ? newest->term + 1 : 1;
    holder.host = node.trust;
    holder.node = node.name;
    holder.run = run.name();
    holder.snapshot = run.facts.snapshot;
    holder.snapshot_ms = run.facts.snapshot_ms;
    holder.plan = run.facts.plan_hash;
    if (newest) holder.previous = HF_TRY(previous_of(context.store, run, *newest));
    run.facts.term = holder.term;
    // An unsigned record cannot be encoded; this node's own signature goes on it first, as its word
    // that this is what it will open. A term needs the two persons' as well.
    vault::Record record = holder_record(holder);
    const AgentKeys keys = HF_TRY(read_agent_keys(context.home.keys));
    vault::sign(record, keys.ledger);
    HF_TRY(context.store.put_order(run.id, vault::encode(record)));
    return context.store.set_facts(run.id, run.facts);
}

Result<void> add_approval(const Home& home, RunStore& store, const Run& run, View signed_order,
                          const std::optional<Buffer>& attestation, std::int64_t now_ms) {
    vault::Record order = HF_TRY(order_of(store, run));
    const vault::Record brought = HF_TRY(vault::parse_record(signed_order));
    const bool same = brought.type == order.type && brought.number == order.number &&
                      brought.addressee == order.addressee && brought.body == order.body;
    if (!same) return Error{Errc::Denied, "this is not the order of " + run.name()};
    const PublicKey key = HF_TRY(signer_of(brought));
    const PeopleBook book = HF_TRY(people_of(home, run.owner));
    const vault::PersonCertificate person = HF_TRY(who_may_sign(book, key, now_ms));
    std::string about;
    if (attestation) {
        about = HF_TRY(read_attestation(home, run, *attestation, key, order)).about;
    }
    const bool attests_later = attestation && vault::signed_by(order, key) &&
                               !HF_TRY(has_attested(home, store, run, key, about));
    if (!attests_later) {
        HF_TRY(check_second_person(book, order, person));
        order.signatures.push_back(brought.signatures.back());
    }
    if (attestation) HF_TRY(store.add_attestation(run.id, key, about, *attestation));
    return store.put_order(run.id, vault::encode(order));
}

Result<void> take_holder(const Home& home, RunStore& store, View bytes, std::int64_t now_ms) {
    const vault::Record record = HF_TRY(vault::parse_record(bytes));
    const Holder holder = HF_TRY(parse_holder(record));
    const PeopleBook book = HF_TRY(people_of(home, holder.owner));
    HF_TRY(book.people().two_persons(record, now_ms));
    return learn_holder(store, bytes);
}

Result<std::vector<Signatory>> signatories(const Home& home, RunStore& store, const Run& run) {
    std::vector<Signatory> out;
    const vault::Record order = HF_TRY(order_of(store, run));
    const PeopleBook book = HF_TRY(people_of(home, run.owner));
    const TrustId host = HF_TRY(load_node(home)).trust;
    for (const vault::RecordSignature& one : order.signatures) {
        const vault::PersonCertificate* person = book.people().by_key(one.signer);
        if (person == nullptr || !vault::signed_by(order, one.signer)) continue;
        out.push_back({person->name, one.signer.hex(), 0, "", ""});
    }
    for (const Buffer& bytes : HF_TRY(store.attestations(run.id))) {
        const vault::Record record = HF_TRY(vault::parse_record(bytes));
        const Attestation attestation = HF_TRY(parse_attestation(record, host));
        const std::string key = HF_TRY(signer_of(record)).hex();
        for (Signatory& person : out) {
            if (person.key != key) continue;
            const bool fence = attestation.about == about_fence;
            (fence ? person.attested : person.vouched) = attestation.words;
            person.time_ms = attestation.time_ms;
        }
    }
    return out;
}

}  // namespace holdfast::agent
