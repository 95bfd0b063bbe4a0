// A ledger that begins anew, brought to partners that have all of it, some of it, or nothing.
#include "replicator/tenancy/refusal.h"
#include "replicator/transfer/pull.h"
#include "tests/replicator/peer/test_trust.h"
#include "vault/prune/carry_over.h"
#include "vault/prune/erase.h"
#include "vault/verify.h"

#include <filesystem>

namespace holdfast::replicator::test {
namespace {

namespace fs = std::filesystem;

struct Carrying {
    Carrying() {
        anna.start();
        bert.start();
        pair_up(bert, anna);
        agree(anna, bert);
    }
    vault::SnapshotRecord take(const std::string& text) { return anna.snapshot("epr", text); }
    void forget(const vault::SnapshotRecord& record) const {
        const auto vault = anna.open_vault();
        must(vault->forget({record.id}));
        must(vault::erase_unneeded(*vault, {}));
    }
    /// Begins the ledger anew; with everything before it gone if `all_gone`.
    void carry(bool all_gone = false) const {
        const auto vault = anna.open_vault();
        vault::CarrySettings settings;
        settings.entries_min = 1;
        const std::uint64_t first = length(*vault);
        REQUIRE(must(vault::carry_ledger_over(*vault, settings)).carried);
        if (!all_gone) return;
        const auto id = vault->chain().id();
        for (const std::uint64_t number : must(vault::stored_entries(vault->store(), id))) {
            if (number >= first) break;
            must(vault->store().remove(vault::entry_name(id, number)));
        }
    }
    static std::uint64_t length(vault::Vault& vault) {
        return vault.reader().ledger().chain(vault.chain().id())->length();
    }
    void replicates(const TransferInfo& done) const {
        INFO(done.problem);
        REQUIRE(done.state == "done");
        CHECK(done.objects_done == done.objects_all);
        CHECK(done.entries_done == done.entries_all);
    }
    /// The partner has what stands, whole, and the same head.
    void check_there(const std::vector<vault::SnapshotRecord>& standing) {
        const auto own = anna.open_vault();
        const auto index = must(vault::ChunkIndex::open(":memory:"));
        auto store = must(anna.control().store_at(bert.id()));
        vault::VaultReader there(*store, *index, own->keys(), own->roster());
        must(there.refresh());
        CHECK(there.ledger().heads() == own->reader().ledger().heads());
        REQUIRE(there.snapshots().size() == standing.size());
        for (std::size_t i = 0; i < standing.size(); ++i) {
            CHECK(there.snapshots()[i].id == standing[i].id);
        }
        CHECK(must(vault::verify(there, {})).clean());
    }
    /// Entries of the chain in the partner's files.
    vault::EntryNumbers at_partner() const {
        const auto store = must(vault::PosixStore::open(tenancy() + "/vault"));
        const auto chains = must(vault::stored_chains(store));
        REQUIRE(chains.size() == 1);
        return must(vault::stored_entries(store, chains[0]));
    }
    std::string tenancy() const { return bert.settings().tenants + "/" + anna.id().hex(); }

    TestTrust anna{"Anna"};
    TestTrust bert{"Bert"};
};

}  // namespace

TEST_CASE("a partner that has all so far takes a carry as the next entries", "[peer]") {
    Carrying pair;
    const auto first = pair.take("first");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    pair.carry();
    const TransferInfo done = replicate(pair.anna, pair.bert.id());
    pair.replicates(done);
    CHECK(done.entries_done == 1);
    const auto second = pair.take("second");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    pair.check_there({first, second});
    CHECK(replicate(pair.anna, pair.bert.id()).objects_done == 0);
    pair.bert.stop();
    pair.bert.start();
    CHECK(replicate(pair.anna, pair.bert.id()).objects_done == 0);
    pair.check_there({first, second});
}

TEST_CASE("a partner that comes later gets a ledger from its carry on", "[peer]") {
    Carrying pair;
    const auto first = pair.take("first");
    const auto second = pair.take("second");
    pair.forget(first);
    pair.carry();
    const auto third = pair.take("third");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    CHECK(pair.at_partner().front() == 4);  // Behind the opening, two snapshots, what forgets one.
    pair.check_there({second, third});

    const holdfast::test::ScratchFolder folder;
    auto copy = must(vault::PosixStore::make(folder / "copy"));
    auto there = must(pair.anna.control().store_at(pair.bert.id()));
    PullProgress progress;
    const PullReport pulled = must(
        pull(*there, must(rosters_in(pair.anna.store())), pair.anna.roster(), copy, {}, progress));
    CHECK(pulled.damage.empty());
    CHECK(pair.anna.read_back(copy, second) == "second");
    CHECK(pair.anna.read_back(copy, third) == "third");
}

TEST_CASE("a partner that lags behind gets the entries between, while they are here", "[peer]") {
    Carrying pair;
    const auto first = pair.take("first");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    const auto second = pair.take("second");
    pair.carry();
    const auto third = pair.take("third");
    const TransferInfo done = replicate(pair.anna, pair.bert.id());
    pair.replicates(done);
    CHECK(done.entries_done == 3);
    CHECK(pair.at_partner() == vault::EntryNumbers{0, 1, 2, 3, 4});
    pair.check_there({first, second, third});
}

TEST_CASE("and begins anew at the carry when they are gone", "[peer]") {
    Carrying pair;
    const auto first = pair.take("first");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    const auto second = pair.take("second");
    pair.carry(true);
    const auto third = pair.take("third");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    CHECK(pair.at_partner() == vault::EntryNumbers{0, 1, 3, 4});
    pair.check_there({first, second, third});
    pair.bert.stop();
    pair.bert.start();
    CHECK(replicate(pair.anna, pair.bert.id()).objects_done == 0);
    pair.check_there({first, second, third});
}

TEST_CASE("a carry that was cut off comes again from its first part", "[peer]") {
    Carrying pair;
    const auto first = pair.take("first");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    {
        const auto vault = pair.anna.open_vault();
        for (int i = 0; i < 2; ++i) {
            must(vault->record_fact("{\"type\":\"note\",\"text\":\"" + std::string(700'000, 'x') +
                                    "\"}"));
        }
    }
    pair.carry(true);
    const auto second = pair.take("second");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    REQUIRE(pair.at_partner() == vault::EntryNumbers{0, 1, 4, 5, 6});
    pair.bert.stop();
    const auto chain = pair.anna.open_vault()->chain().id();
    for (const std::uint64_t number : {5U, 6U}) {
        fs::remove(pair.tenancy() + "/vault/" + vault::entry_name(chain, number));
    }
    pair.bert.start();
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    CHECK(pair.at_partner() == vault::EntryNumbers{0, 1, 4, 5, 6});
    pair.check_there({first, second});
}

TEST_CASE("what stands in the place of a carry that was cut off is not taken for it", "[peer]") {
    Carrying pair;
    pair.take("first");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    pair.take("second");
    pair.carry(true);
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    REQUIRE(pair.at_partner() == vault::EntryNumbers{0, 1, 3});
    pair.bert.stop();
    const auto chain = pair.anna.open_vault()->chain().id();
    const std::string there = pair.tenancy() + "/vault/" + vault::entry_name(chain, 3);
    Buffer bytes = must(read_file(there, vault::ledger_entry_bytes_max));
    bytes.back() ^= 1;
    must(write_file_durably(there, bytes, 0640));
    pair.bert.start();
    const TransferInfo failed = replicate(pair.anna, pair.bert.id());
    CHECK(failed.state == "failed");
    CHECK(failed.problem.find("another entry of this number is here") != std::string::npos);
}

TEST_CASE("a fork does not get in behind a carry", "[peer]") {
    Carrying pair;
    pair.take("first");
    pair.replicates(replicate(pair.anna, pair.bert.id()));
    const auto vault = pair.anna.open_vault();
    const auto chain = vault->chain().id();
    const auto client = [&] {
        return must(PeerClient::make(pair.bert.end_for(pair.anna.id()), pair.anna.tls()));
    };
    const vault::Chain& own = *vault->reader().ledger().chain(chain);
    const auto signed_carry = [&](const vault::Chain& over) {
        std::vector<const vault::LedgerEntry*> kept{
            &vault->reader().ledger().entries().at(chain).front()};
        auto bodies = must(vault::carry_bodies(over.log(), kept));
        return vault::sign_entry(over.next(), bodies.at(0), pair.anna.ledger_key());
    };
    // Another history of the length that the partner has witnessed.
    vault::Chain forged(pair.anna.id(), chain);
    const auto may = [](const vault::Envelope&) { return true; };
    while (forged.length() < own.length()) {
        const auto entry =
            vault::sign_entry(forged.next(), vault::clear_body("{}"), pair.anna.ledger_key());
        must(forged.append(entry.envelope, may));
    }
    const auto at_head = signed_carry(forged);
    auto refused = client().put(vault::entry_name(chain, at_head.envelope.number),
                                vault::encode_entry(at_head));
    REQUIRE_FALSE(refused);
    CHECK(is_refusal(refused.error(), Refusal::Fork));
    // A tree that is not the one of its `previous`.
    vault::Chain longer = forged;
    must(longer.append(
        vault::sign_entry(longer.next(), vault::clear_body("{}"), pair.anna.ledger_key()).envelope,
        may));
    vault::LedgerEntry wrong = signed_carry(longer);
    vault::Envelope facts = wrong.envelope;
    facts.previous = own.head().root;
    wrong = vault::sign_entry(facts, wrong.body, pair.anna.ledger_key());
    refused =
        client().put(vault::entry_name(chain, wrong.envelope.number), vault::encode_entry(wrong));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Denied);
    // By a key that is not on the roster.
    vault::LedgerEntry stranger = signed_carry(longer);
    stranger = vault::sign_entry(stranger.envelope, stranger.body, pair.bert.ledger_key());
    refused = client().put(vault::entry_name(chain, stranger.envelope.number),
                           vault::encode_entry(stranger));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Denied);
    CHECK(must(client().status()).chains.at(0) == own.head());
}

}  // namespace holdfast::replicator::test
