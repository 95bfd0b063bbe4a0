#include "vault/ledger/chain.h"
#include "tests/vault/ledger/material.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;
using material::key_1_may;

namespace {

struct Grown {
    Chain chain = material::empty_chain();
    std::vector<LedgerEntry> entries;

    explicit Grown(int n, const std::string& words = "") {
        for (int i = 0; i < n; ++i) {
            entries.push_back(material::next_entry(chain, words + std::to_string(i)));
            REQUIRE(chain.append(entries.back().envelope, key_1_may));
        }
    }
};

void check_refused(Chain& chain, const Envelope& envelope, Errc code) {
    const ChainHead before = chain.head();
    const auto taken = chain.append(envelope, key_1_may);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == code);
    CHECK(chain.head() == before);
}

}  // namespace

TEST_CASE("a chain checks entry by entry, and carries the roots of its past", "[vault][ledger]") {
    const Grown grown(20);
    CHECK(grown.chain.length() == 20);
    Chain copy = material::empty_chain();
    for (const LedgerEntry& entry : grown.entries) {
        CHECK(entry.envelope.previous == copy.head().root);
        CHECK(entry.envelope.previous == grown.chain.head_at(entry.envelope.number).root);
        REQUIRE(copy.append(entry.envelope, key_1_may));
    }
    CHECK(copy.head() == grown.chain.head());
    CHECK(grown.entries[0].envelope.previous.zero());
}

TEST_CASE("a replayed entry is refused", "[vault][ledger]") {
    Grown grown(5);
    for (const LedgerEntry& entry : grown.entries) {
        check_refused(grown.chain, entry.envelope, Errc::Conflict);
    }
}

TEST_CASE("an entry behind a gap is refused until the gap is filled", "[vault][ledger]") {
    const Grown grown(5);
    Chain copy = material::empty_chain();
    check_refused(copy, grown.entries[1].envelope, Errc::NotFound);
    REQUIRE(copy.append(grown.entries[0].envelope, key_1_may));
    check_refused(copy, grown.entries[2].envelope, Errc::NotFound);
    REQUIRE(copy.append(grown.entries[1].envelope, key_1_may));
    REQUIRE(copy.append(grown.entries[2].envelope, key_1_may));
}

TEST_CASE("a fork is refused, at a new number and at one that is taken", "[vault][ledger]") {
    Grown ours(5, "ours ");
    const Grown theirs(7, "theirs ");
    check_refused(ours.chain, theirs.entries[5].envelope, Errc::Denied);
    check_refused(ours.chain, theirs.entries[3].envelope, Errc::Denied);
    check_refused(ours.chain, theirs.entries[6].envelope, Errc::NotFound);
}

TEST_CASE("entries of another trust or chain, or by the wrong key, are refused",
          "[vault][ledger]") {
    Grown grown(3);
    const auto signed_as = [&](auto alter, std::uint8_t key) {
        Envelope facts = grown.chain.next();
        alter(facts);
        return sign_entry(facts, material::body("{}"), material::signing_key(key)).envelope;
    };
    const auto as_is = [](Envelope&) {};
    const auto other_trust = [](Envelope& e) { e.trust = material::some_id<TrustId>("other"); };
    const auto other_chain = [](Envelope& e) { e.chain = material::some_id<ChainId>("other"); };
    check_refused(grown.chain, signed_as(other_trust, 1), Errc::Denied);
    check_refused(grown.chain, signed_as(other_chain, 1), Errc::Denied);
    check_refused(grown.chain, signed_as(as_is, 2), Errc::Denied);
    Envelope unsigned_one = signed_as(as_is, 1);
    unsigned_one.time_ms += 1;
    check_refused(grown.chain, unsigned_one, Errc::Denied);
    CHECK(grown.chain.append(signed_as(as_is, 1), key_1_may));
}

TEST_CASE("a head is ours, unknown yet, or a fork", "[vault][ledger]") {
    const Grown grown(9);
    const Grown longer(12);
    const Grown fork(9, "fork ");
    CHECK(grown.chain.check_ours(longer.chain.head_at(4)));
    CHECK(grown.chain.check_ours(grown.chain.head()));
    CHECK(grown.chain.check_ours(longer.chain.head()).error().code == Errc::NotFound);
    CHECK(grown.chain.check_ours(fork.chain.head_at(4)).error().code == Errc::Denied);
}
