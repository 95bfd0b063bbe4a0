#include "tests/replicator/witness/witness_scene.h"

#include "vault/base/clock.h"

namespace holdfast::replicator::test {
namespace {}  // namespace

Buffer certificate_of(const TestTrust& owner, const WitnessPerson& person,
                      std::vector<vault::Role> roles) {
    vault::PersonCertificate one;
    one.person = vault::system_random().id<vault::PersonId>();
    one.trust = owner.id();
    one.name = person.name;
    one.key = person.key.public_key;
    one.roles = std::move(roles);
    one.time = one.valid_from = system_clock().wall_ms() - hour_ms;
    one.valid_to = one.time + 1000 * hour_ms;
    return must(vault::certify(one, owner.officer()));
}

WitnessScene::WitnessScene() {
    for (TestTrust* trust : {&owner, &host, &witness}) trust->start();
    pair_up(host, owner);
    pair_up(witness, owner);
    pair_up(witness, host);
    Agreement terms = usual_terms(owner, host);
    terms.witnesses = {witness.id()};
    const Buffer object = signed_agreement(terms, owner, host);
    REQUIRE(must(owner.control().put_agreement(object)).delivered);
    // The witness has no agreement of its own: it is brought the one that names it.
    must(owner.control().put_paper(witness.id(),
                                   certificate_of(owner, ada, {vault::Role::Approver})));
    must(owner.control().put_paper(witness.id(),
                                   certificate_of(owner, ben, {vault::Role::Operator})));
}

vault::Record WitnessScene::term(std::uint64_t number, const vault::Record* before,
                                 const std::string& run) const {
    Holder holder;
    holder.owner = owner.id();
    holder.system = "epr";
    holder.term = number;
    holder.host = host.id();
    holder.node = "node-1";
    holder.run = run;
    holder.snapshot = std::string(64, 'a');
    if (before != nullptr) holder.previous = holder_digest(*before);
    vault::Record record = holder_record(holder);
    vault::sign(record, host.ledger_key());
    return record;
}

vault::Record WitnessScene::signed_term(std::uint64_t number, const vault::Record* before,
                                        const std::string& run) const {
    vault::Record record = term(number, before, run);
    vault::sign(record, ada.key);
    vault::sign(record, ben.key);
    return record;
}

}  // namespace holdfast::replicator::test
