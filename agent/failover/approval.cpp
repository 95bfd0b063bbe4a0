#include "agent/failover/approval.h"

#include "agent/config/node_settings.h"
#include "agent/failover/holder.h"
#include "agent/failover/tenancy.h"
#include "agent/failover/terms.h"
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

Result<bool> has_attested(RunStore& store, const Run& run, const PublicKey& person) {
    for (const Buffer& bytes : HF_TRY(store.attestations(run.id))) {
        if (vault::signed_by(HF_TRY(vault::parse_record(bytes)), person)) return true;
    }
    return false;
}

Result<void> take_attestation(const Home& home, RunStore& store, const Run& run, View bytes,
                              const PublicKey& person, const vault::Record& order) {
    const vault::Record record = HF_TRY(vault::parse_record(bytes));
    const TrustId host = HF_TRY(load_node(home)).trust;
    const Attestation attestation = HF_TRY(parse_attestation(record, host));
    if (HF_TRY(signer_of(record)) != person || attestation.holder != holder_digest(order)) {
        return Error{Errc::Denied, "the attestation is another person's, or of another order"};
    }
    return store.add_attestation(run.id, person, bytes);
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
    if (newest) holder.previous = holder_digest(HF_TRY(vault::parse_record(newest->record)));
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
    const bool attests_later =
        attestation && vault::signed_by(order, key) && !HF_TRY(has_attested(store, run, key));
    if (!attests_later) {
        HF_TRY(check_second_person(book, order, person));
        order.signatures.push_back(brought.signatures.back());
    }
    if (attestation) {
        HF_TRY(take_attestation(home, store, run, *attestation, key, order));
    }
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
        out.push_back({person->name, one.signer.hex(), 0, ""});
    }
    for (const Buffer& bytes : HF_TRY(store.attestations(run.id))) {
        const vault::Record record = HF_TRY(vault::parse_record(bytes));
        const Attestation attestation = HF_TRY(parse_attestation(record, host));
        const std::string key = HF_TRY(signer_of(record)).hex();
        for (Signatory& person : out) {
            if (person.key != key) continue;
            person.attested = attestation.words;
            person.time_ms = attestation.time_ms;
        }
    }
    return out;
}

}  // namespace holdfast::agent
