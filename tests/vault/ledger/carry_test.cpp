// Carries that somebody made up, and whether they are believed.
#include "vault/ledger/carry.h"
#include "tests/vault/ledger/material.h"
#include "vault/ledger/stored_chain.h"
#include "vault/store/memory_store.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;
using material::key_1_may;

namespace {

/// A chain of five entries in a store, to be carried over by whoever the test likes.
struct Grown {
    Grown() {
        for (int i = 0; i < 5; ++i) {
            add(material::next_entry(chain, "{\"number\":" + std::to_string(i) + "}"));
        }
    }
    void add(const LedgerEntry& entry) {
        REQUIRE(chain.append(entry.envelope, key_1_may));
        put(entry);
        entries.push_back(entry);
    }
    void put(const LedgerEntry& entry) {
        REQUIRE(store.put(entry_name(entry.envelope.chain, entry.envelope.number),
                          encode_entry(entry)));
    }
    LedgerEntry carry(const MerkleLog& log, const std::vector<const LedgerEntry*>& kept,
                      std::uint8_t key = 1) const {
        auto bodies = carry_bodies(log, kept);
        REQUIRE(bodies);
        REQUIRE(bodies->size() == 1);
        Envelope facts = chain.next();
        return sign_entry(facts, (*bodies)[0], material::signing_key(key));
    }
    StoredChain read() const {
        const auto numbers = stored_entries(store, chain.head().chain);
        REQUIRE(numbers);
        auto read =
            read_stored_chain(store, chain.head().trust, chain.head().chain, *numbers, key_1_may);
        REQUIRE(read);
        return std::move(*read);
    }

    MemoryStore store;
    Chain chain = material::empty_chain();
    std::vector<LedgerEntry> entries;
};

}  // namespace

TEST_CASE("a chain goes on from a carry as if it had been read whole", "[vault][ledger]") {
    Grown grown;
    grown.add(grown.carry(grown.chain.log(), {&grown.entries[0], &grown.entries[3]}));
    grown.add(material::next_entry(grown.chain, "{}"));
    for (const std::uint64_t number : {1U, 2U, 4U}) {
        REQUIRE(grown.store.remove(entry_name(grown.chain.head().chain, number)));
    }
    const StoredChain read = grown.read();
    CHECK(read.chain.first() == 5);
    CHECK(read.chain.head() == grown.chain.head());
    CHECK(read.chain.head_at(6) == grown.chain.head_at(6));
    CHECK_FALSE(read.broken);
    REQUIRE(read.entries.size() == 4);
    CHECK(read.entries[0].envelope == grown.entries[0].envelope);
    CHECK(read.entries[1].envelope == grown.entries[3].envelope);
    CHECK(read.entries[2].envelope == grown.entries[5].envelope);
    CHECK(read.chain.had(grown.chain.head_at(5)));
    ChainHead other = grown.chain.head_at(6);
    other.root = grown.chain.head_at(5).root;
    CHECK_FALSE(read.chain.had(other));
    CHECK(read.chain.check_ours(other).error().code == Errc::Denied);
}

TEST_CASE("a carry that is not its chain's own word is passed over", "[vault][ledger]") {
    Grown grown;
    Chain elsewhere(grown.chain.head().trust, material::some_id<ChainId>("elsewhere"));
    const LedgerEntry foreign = material::next_entry(elsewhere);
    LedgerEntry unsigned_one = grown.entries[2];
    unsigned_one.envelope.time_ms += 1;
    unsigned_one.envelope.signer = material::signing_key(2).public_key;
    const auto& all = grown.entries;
    Chain shorter = material::empty_chain();
    for (std::size_t i = 0; i < 4; ++i) REQUIRE(shorter.append(all[i].envelope, key_1_may));
    MerkleLog other_tree;
    for (int i = 0; i < 5; ++i) other_tree.append(entry_hash(all[4].envelope));

    SECTION("signed by a key that may not") {
        grown.put(grown.carry(grown.chain.log(), {&all[0]}, 2));
        CHECK(grown.read().broken);
    }
    SECTION("over another tree") {
        grown.add(grown.carry(other_tree, {&all[0]}));
    }
    SECTION("over the tree of a shorter chain") {
        grown.add(grown.carry(shorter.log(), {&all[0]}));
    }
    SECTION("with an entry of another chain") {
        grown.add(grown.carry(grown.chain.log(), {&foreign}));
    }
    SECTION("with an entry that another key is said to have signed") {
        grown.add(grown.carry(grown.chain.log(), {&all[0], &unsigned_one}));
    }
    SECTION("without the opening entry") {
        grown.add(grown.carry(grown.chain.log(), {&all[1]}));
    }
    SECTION("with entries out of order") {
        grown.add(grown.carry(grown.chain.log(), {&all[0], &all[3], &all[2]}));
    }
    SECTION("cut short") {
        auto bodies = carry_bodies(grown.chain.log(), {&all[0], &all[3]});
        (*bodies)[0].pop_back();
        grown.add(sign_entry(grown.chain.next(), (*bodies)[0], material::signing_key(1)));
    }
    SECTION("with a byte too many") {
        auto bodies = carry_bodies(grown.chain.log(), {&all[0], &all[3]});
        (*bodies)[0].push_back(0);
        grown.add(sign_entry(grown.chain.next(), (*bodies)[0], material::signing_key(1)));
    }
    const StoredChain read = grown.read();
    CHECK(read.chain.first() == 0);
    CHECK(read.chain.head() == grown.chain.head());
    CHECK(read.entries.size() == grown.entries.size());
}

TEST_CASE("an entry that another node signed is carried with its signature", "[vault][ledger]") {
    Grown grown;
    const auto two_may = [](const Envelope& envelope) {
        return envelope.signer == material::signing_key(1).public_key ||
               envelope.signer == material::signing_key(2).public_key;
    };
    const LedgerEntry by_2 =
        sign_entry(grown.chain.next(), material::body("{}"), material::signing_key(2));
    REQUIRE(grown.chain.append(by_2.envelope, two_may));
    const LedgerEntry carry = grown.carry(grown.chain.log(), {&grown.entries[0], &by_2});
    const std::vector<LedgerEntry> parts{carry};
    CHECK(read_carry(parts, two_may));
    CHECK(read_carry(parts, key_1_may).error().code == Errc::Denied);
}

TEST_CASE("more than fits into one entry is cut into parts, which belong together",
          "[vault][ledger]") {
    Grown grown;
    for (int i = 0; i < 3; ++i) {
        grown.add(material::next_entry(grown.chain, std::string(900'000, 'x')));
    }
    std::vector<const LedgerEntry*> kept;
    for (const LedgerEntry& entry : grown.entries) kept.push_back(&entry);
    const auto bodies = carry_bodies(grown.chain.log(), kept);
    REQUIRE(bodies);
    REQUIRE(bodies->size() == 3);
    const std::uint64_t first = grown.chain.length();
    std::vector<LedgerEntry> parts;
    for (const Buffer& body : *bodies) {
        parts.push_back(sign_entry(grown.chain.next(), body, material::signing_key(1)));
        REQUIRE(grown.chain.append(parts.back().envelope, key_1_may));
        grown.put(parts.back());
    }
    CHECK(grown.read().chain.first() == first);
    const auto whole = read_carry(parts, key_1_may);
    REQUIRE(whole);
    CHECK(whole->entries.size() == 8);
    std::swap(parts[1], parts[2]);
    CHECK(read_carry(parts, key_1_may).error().code == Errc::Corrupt);
    parts.pop_back();
    CHECK(read_carry(parts, key_1_may).error().code == Errc::Corrupt);
    REQUIRE(grown.store.remove(entry_name(grown.chain.head().chain, first + 1)));
    CHECK(grown.read().chain.first() == 0);
    CHECK(grown.read().chain.length() == first + 1);
}
