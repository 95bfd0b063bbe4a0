#include "replicator/state/promises.h"
#include "replicator/state/state_file.h"
#include "replicator/tenancy/refusal.h"
#include "tests/replicator/peer/test_trust.h"

namespace holdfast::replicator::test {

TEST_CASE("an agreement binds when an officer of both trusts has signed it", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    Agreement terms = usual_terms(anna, bert);
    terms.witnesses = {bert.id(), vault::system_random().id<TrustId>()};
    vault::Record record = must(agreement_record(terms));
    CHECK(must(parse_agreement(record)) == terms);
    CHECK_FALSE(signatures_of(record, anna.roster(), bert.roster()).owner);
    vault::sign(record, anna.officer());
    auto half = signatures_of(record, anna.roster(), bert.roster());
    CHECK(half.owner);
    CHECK_FALSE(half.host);
    vault::sign(record, bert.ledger_key());  // A node's key is no officer's.
    CHECK_FALSE(signatures_of(record, anna.roster(), bert.roster()).host);
    vault::sign(record, bert.officer());
    CHECK(signatures_of(record, anna.roster(), bert.roster()).both());

    vault::Roster shared = bert.roster();
    shared.officers = anna.roster().officers;
    CHECK_FALSE(signatures_of(record, anna.roster(), shared).both());
}

TEST_CASE("terms that make no sense are refused before anybody signs", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    Agreement terms = usual_terms(anna, bert);
    SECTION("no quota") {
        terms.quota_bytes = 0;
    }
    SECTION("with oneself") {
        terms.host = terms.owner;
    }
    SECTION("over before it begins") {
        terms.valid_to = terms.valid_from;
    }
    SECTION("held longer than held") {
        terms.minimum_hold_days = terms.longest_hold_days + 1;
    }
    SECTION("number 0") {
        terms.number = 0;
    }
    SECTION("the owner as witness of itself") {
        terms.witnesses = {bert.id(), anna.id()};
    }
    SECTION("a witness named twice") {
        terms.witnesses = {bert.id(), bert.id()};
    }
    SECTION("more witnesses than anybody can ask") {
        for (std::size_t i = 0; i <= agreement_witnesses_max; ++i) {
            terms.witnesses.push_back(vault::system_random().id<TrustId>());
        }
    }
    CHECK(agreement_record(terms).error().code == Errc::Invalid);
}

TEST_CASE("an agreement that ended an older one does not wake it when it is over", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    vault::Database db = must(open_state(":memory:"));
    Promises promises(db);
    const Agreement first = usual_terms(anna, bert);
    Agreement notice = first;
    notice.number = 2;
    notice.valid_from = first.valid_from + 10;
    notice.valid_to = first.valid_from + 20;
    for (const Agreement& terms : {first, notice}) {
        must(promises.put_agreement(signed_agreement(terms, anna, bert), anna.roster(),
                                    bert.roster()));
    }
    const auto number_at = [&](std::int64_t ms) {
        const auto held = must(promises.in_force(anna.id(), bert.id(), first.valid_from + ms));
        return held ? held->number : 0;
    };
    CHECK(number_at(-1) == 0);
    CHECK(number_at(5) == 1);
    CHECK(number_at(15) == 2);
    CHECK(number_at(25) == 0);
}

TEST_CASE("a proposal reaches the partner, and its signature comes back", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    bert.start();
    pair_up(anna, bert);
    agree(anna, bert);
    for (TestTrust* trust : {&anna, &bert}) {
        const auto held = must(trust->control().agreements((trust == &anna ? bert : anna).id()));
        REQUIRE(held.size() == 1);
        CHECK(held[0].signatures.both());
        CHECK(held[0].terms.owner == anna.id());
    }
    CHECK(must(anna.control().partners())[0].agreement_as_owner == 1);
    CHECK(must(bert.control().partners())[0].agreement_as_host == 1);

    SECTION("another one of the same number is refused, by both") {
        Agreement other = usual_terms(anna, bert);
        other.quota_bytes = 5;
        const Buffer object = signed_agreement(other, anna, bert);
        CHECK(anna.control().put_agreement(object).error().code == Errc::Conflict);
        CHECK(bert.control().put_agreement(object).error().code == Errc::Conflict);
    }
    SECTION("one that nobody signed is refused") {
        Agreement next = usual_terms(anna, bert);
        next.number = 2;
        vault::Record record = must(agreement_record(next));
        vault::sign(record, anna.ledger_key());
        CHECK(anna.control().put_agreement(vault::encode(record)).error().code == Errc::Denied);
        CHECK(must(anna.control().agreements(bert.id())).size() == 1);
    }
}

TEST_CASE("a signature given while the partner was away goes along with a transfer", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    bert.start();
    pair_up(anna, bert);
    bert.stop();
    vault::Record record = must(agreement_record(usual_terms(anna, bert)));
    vault::sign(record, anna.officer());
    const auto stored = must(anna.control().put_agreement(vault::encode(record)));
    CHECK_FALSE(stored.delivered);
    CHECK_FALSE(stored.problem.empty());
    bert.start();
    const TransferInfo refused = replicate(anna, bert.id());
    CHECK(refused.state == "failed");
    CHECK(refused.problem.find("no_agreement") != std::string::npos);
    CHECK(must(bert.control().agreements(anna.id())).size() == 1);

    // The host signs while the owner is away, so it has it from the next transfer.
    anna.stop();
    vault::sign(record, bert.officer());
    CHECK_FALSE(must(bert.control().put_agreement(vault::encode(record))).delivered);
    anna.start();
    CHECK(replicate(anna, bert.id()).state == "done");
    CHECK(must(anna.control().agreements(bert.id()))[0].signatures.both());
}

TEST_CASE("a receipt is the host's word and no other's", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    Receipt receipt;
    receipt.owner = anna.id();
    receipt.host = bert.id();
    receipt.node = "node-1";
    receipt.list = vault::system_random().id<ListId>();
    receipt.packs = 3;
    receipt.bytes = 4;
    receipt.time = 5;
    const Buffer object = make_receipt(receipt, anna.officer());
    CHECK(parse_receipt(object, anna.id(), bert.roster()).error().code == Errc::Denied);
    CHECK(parse_receipt(object, bert.id(), bert.roster()).error().code == Errc::Denied);
}

}  // namespace holdfast::replicator::test
