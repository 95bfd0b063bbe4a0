#include "replicator/tenancy/refusal.h"
#include "replicator/transfer/pull.h"
#include "tests/replicator/peer/test_trust.h"
#include "vault/ledger/body.h"
#include "vault/prune/erase.h"
#include "vault/verify.h"

#include <filesystem>

namespace holdfast::replicator::test {
namespace {

using holdfast::test::random_bytes;

/// Two partners that run, with an agreement by which `bert` hosts `anna`.
struct Pair {
    Pair() {
        anna.start();
        bert.start();
        pair_up(bert, anna);
        agree(anna, bert);
    }
    PeerClient client() const {
        return must(PeerClient::make(bert.end_for(anna.id()), anna.tls()));
    }
    std::string tenancy() const { return bert.settings().tenants + "/" + anna.id().hex(); }

    TestTrust anna{"Anna"};
    TestTrust bert{"Bert"};
};

std::vector<std::string> names_in(const vault::Store& store) {
    std::vector<std::string> out;
    for (const char* folder : {"domain/", "epoch/", "ledger/", "list/", "pack/", "roster/"}) {
        must(store.list(folder, [&](const std::string& name) -> Result<void> {
            out.push_back(name);
            return {};
        }));
    }
    return out;
}

std::unique_ptr<PartnerStore> direct_store(const Pair& pair, const TlsIdentity& identity) {
    PartnerStoreSettings settings;
    settings.peer.base_url = "https://" + pair.bert.settings().address;
    settings.peer.key = pair.bert.tls().key_hash();
    settings.path = "/trusts/" + pair.anna.id().hex() + "/objects";
    settings.identity = &identity;
    return must(PartnerStore::make(std::move(settings)));
}

}  // namespace

TEST_CASE("what was replicated reads back from the partner, over the link and over the socket",
          "[peer]") {
    Pair pair;
    const std::string first = random_bytes(3'000'000, 1);
    const std::string second = first + random_bytes(400'000, 2);
    const auto old = pair.anna.snapshot("epr", first);
    const auto newer = pair.anna.snapshot("epr", second);
    const TransferInfo done = replicate(pair.anna, pair.bert.id());
    INFO(done.problem);
    REQUIRE(done.state == "done");
    CHECK(done.receipts == 2);
    CHECK(done.objects_done == done.objects_all);
    CHECK(done.bytes_done > 3'000'000);

    auto over_socket = must(pair.anna.control().store_at(pair.bert.id()));
    CHECK(pair.anna.read_back(*over_socket, newer) == second);
    CHECK(names_in(*over_socket) == names_in(pair.anna.store()));
    auto direct = direct_store(pair, pair.anna.tls());
    CHECK(pair.anna.read_back(*direct, old) == first);
    CHECK(direct->put("pack/x", {}).error().code == Errc::Denied);
    CHECK(direct->get("epoch/" + Digest{}.hex(), 0, 1).error().code == Errc::NotFound);

    const auto receipts = must(pair.anna.control().receipts(pair.bert.id()));
    REQUIRE(receipts.size() == 2);
    const Receipt receipt =
        must(parse_receipt(receipts[0].object, pair.anna.id(), pair.bert.roster()));
    CHECK(receipt.agreement == 1);
    CHECK(receipt.packs > 0);

    SECTION("a second transfer has nothing to do") {
        const TransferInfo again = replicate(pair.anna, pair.bert.id());
        CHECK(again.state == "done");
        CHECK(again.objects_done == 0);
        CHECK(again.receipts == 0);
    }
    SECTION("and is never given to anybody else") {
        auto stranger = direct_store(pair, pair.bert.tls());
        CHECK(stranger->size(names_in(pair.anna.store())[0]).error().code == Errc::Denied);
    }
    SECTION("bytes that a host has altered are refused by whoever reads them") {
        const std::string pack =
            pair.tenancy() + "/vault/" +
            vault::pack_name(
                must(pair.anna.open_vault()->reader().packs_of(newer)).begin().operator*());
        Buffer bytes = must(read_file(pack, vault::object_bytes_max));
        bytes[bytes.size() / 2] ^= 1;
        must(write_file_durably(pack, bytes, 0640));
        pair.bert.stop();
        pair.bert.start();
        auto again = must(pair.anna.control().store_at(pair.bert.id()));
        const PackId id{must(vault::id_in_name(pack)).digest};
        CHECK(again->get_all(vault::pack_name(id), vault::object_bytes_max).error().code ==
              Errc::Corrupt);
    }
}

namespace {

void forget_and_erase(const TestTrust& trust, const std::vector<vault::SnapshotId>& snapshots) {
    const auto vault = trust.open_vault();
    must(vault->forget(snapshots));
    CHECK(must(vault::erase_unneeded(*vault, {})).erased.packs > 0);
}

}  // namespace

TEST_CASE("a partner that comes after a prune gets what lives, and the whole ledger", "[peer]") {
    Pair pair;
    std::string text;
    std::vector<vault::SnapshotRecord> taken;
    for (std::uint64_t i = 0; i < 9; ++i) {
        if (i != 8) text += random_bytes(100'000, i);
        if (i == 4) text = random_bytes(100'000, 44);  // What was there before dies with 0 to 3.
        taken.push_back(pair.anna.snapshot("epr", text));
    }
    const auto list_object =
        must(pair.anna.store().get_all(vault::list_name(taken[8].list), vault::list_bytes_max));
    REQUIRE_FALSE(must(vault::parse_list(list_object)).base.zero());  // Else this tests less.
    std::vector<vault::SnapshotId> gone;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i != 5) gone.push_back(taken[i].id);
    }
    forget_and_erase(pair.anna, gone);
    const TransferInfo done = replicate(pair.anna, pair.bert.id());
    INFO(done.problem);
    REQUIRE(done.state == "done");
    CHECK(done.receipts == 2);
    CHECK(done.objects_done == done.objects_all);
    auto there = must(pair.anna.control().store_at(pair.bert.id()));
    CHECK(pair.anna.read_back(*there, taken[8]) == text);
    const auto own = pair.anna.open_vault();
    const auto index = must(vault::ChunkIndex::open(":memory:"));
    vault::VaultReader reader(*there, *index, own->keys(), own->roster());
    must(reader.refresh());
    CHECK(reader.snapshots().size() == 2);
    CHECK(reader.ledger().heads() == own->reader().ledger().heads());
    CHECK(must(vault::verify(reader, {})).clean());
    CHECK(replicate(pair.anna, pair.bert.id()).objects_done == 0);

    SECTION("and it is a recovery's source, without a word of what was forgotten") {
        const holdfast::test::ScratchFolder folder;
        auto copy = must(vault::PosixStore::make(folder / "copy"));
        PullProgress progress;
        const PullReport pulled = must(
            pull(*there, must(rosters_in(pair.anna.store())), own->roster(), copy, {}, progress));
        CHECK(pulled.damage.empty());
        CHECK(pair.anna.read_back(copy, taken[8]) == text);
    }
    SECTION("and what is forgotten later goes there as an entry, and new snapshots follow") {
        forget_and_erase(pair.anna, {taken[5].id});
        text += random_bytes(1000, 99);
        const auto newest = pair.anna.snapshot("epr", text);
        REQUIRE(replicate(pair.anna, pair.bert.id()).state == "done");
        must(reader.refresh());
        CHECK(reader.snapshots().size() == 2);
        CHECK(pair.anna.read_back(*there, newest) == text);
    }
}

TEST_CASE("without an agreement in date nothing is taken", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    bert.start();
    pair_up(bert, anna);
    anna.snapshot("epr", "text");
    auto peer = must(PeerClient::make(bert.end_for(anna.id()), anna.tls()));
    const auto refused = peer.put("epoch/" + Digest{}.hex(), Buffer(100));
    REQUIRE_FALSE(refused);
    CHECK(is_refusal(refused.error(), Refusal::NoAgreement));
    Agreement over = usual_terms(anna, bert);
    over.valid_to = over.valid_from + 1;
    must(bert.control().put_agreement(signed_agreement(over, anna, bert)));
    CHECK(
        is_refusal(peer.put("epoch/" + Digest{}.hex(), Buffer(100)).error(), Refusal::NoAgreement));
    CHECK(must(peer.status()).packs == 0);
    // Nor does being host make one an owner.
    auto other = must(PeerClient::make(anna.end_for(bert.id()), bert.tls()));
    CHECK(is_refusal(other.put("epoch/" + Digest{}.hex(), Buffer(100)).error(),
                     Refusal::NoAgreement));
}

TEST_CASE("nobody reaches another's tenancy", "[peer]") {
    Pair pair;
    TestTrust carl("Carl");
    carl.start();
    pair_up(pair.bert, carl);
    pair.anna.snapshot("epr", "text");
    REQUIRE(replicate(pair.anna, pair.bert.id()).state == "done");
    PeerEnd end = pair.bert.end_for(pair.anna.id());
    auto as_carl = must(PeerClient::make(end, carl.tls()));
    CHECK(is_refusal(as_carl.status().error(), Refusal::NotYours));
    CHECK(is_refusal(as_carl.missing({"format"}).error(), Refusal::NotYours));
    CHECK(is_refusal(as_carl.papers().error(), Refusal::NotYours));
    CHECK(is_refusal(as_carl.put("epoch/" + Digest{}.hex(), Buffer(9)).error(), Refusal::NotYours));
}

TEST_CASE("over quota a transfer stops with the reason, and goes on under better terms", "[peer]") {
    Pair pair;
    Agreement tight = usual_terms(pair.anna, pair.bert);
    tight.number = 2;
    tight.quota_bytes = 100'000;
    must(pair.anna.control().put_agreement(signed_agreement(tight, pair.anna, pair.bert)));
    const std::string text = random_bytes(500'000, 7);
    const auto record = pair.anna.snapshot("epr", text);
    const TransferInfo stopped = replicate(pair.anna, pair.bert.id());
    CHECK(stopped.state == "failed");
    CHECK(stopped.problem.find("over_quota") != std::string::npos);
    CHECK(must(pair.client().status()).bytes <= 100'000);

    Agreement wide = usual_terms(pair.anna, pair.bert);
    wide.number = 3;
    must(pair.anna.control().put_agreement(signed_agreement(wide, pair.anna, pair.bert)));
    CHECK(replicate(pair.anna, pair.bert.id()).state == "done");
    auto copy = must(pair.anna.control().store_at(pair.bert.id()));
    CHECK(pair.anna.read_back(*copy, record) == text);
}

namespace {

/// Anna's vault is as it was before a snapshot that Bert has.
struct WentBack : Pair {
    WentBack() {
        anna.snapshot("epr", "one");
        const std::string before = anna.settings().vault + ".before";
        namespace fs = std::filesystem;
        fs::copy(anna.settings().vault, before, fs::copy_options::recursive);
        anna.snapshot("epr", "two");
        REQUIRE(replicate(anna, bert.id()).state == "done");
        held = must(client().status()).chains;
        fs::remove_all(anna.settings().vault);
        fs::rename(before, anna.settings().vault);
    }
    std::vector<vault::ChainHead> held;
};

}  // namespace

TEST_CASE("a vault that went back in time is told so, and goes on in a new chain", "[peer]") {
    WentBack pair;
    const TransferInfo back = replicate(pair.anna, pair.bert.id());
    CHECK(back.state == "failed");
    CHECK(back.problem.find("went back in time") != std::string::npos);
    CHECK(must(pair.client().status()).chains == pair.held);

    const auto record = pair.anna.snapshot("epr", "three");
    CHECK(record.chain != pair.held.at(0).chain);
    CHECK(replicate(pair.anna, pair.bert.id()).state == "done");
    auto copy = must(pair.anna.control().store_at(pair.bert.id()));
    CHECK(pair.anna.read_back(*copy, record) == "three");
    const auto now = must(pair.client().status()).chains;
    CHECK(now.size() == 2);
    CHECK(std::find(now.begin(), now.end(), pair.held.at(0)) != now.end());
}

TEST_CASE("a node that went back with all it knew forks, and nothing is overwritten", "[peer]") {
    WentBack pair;
    pair.anna.forget_head();
    pair.anna.snapshot("epr", "three");
    const TransferInfo forked = replicate(pair.anna, pair.bert.id());
    CHECK(forked.state == "failed");
    CHECK(forked.problem.find("fork") != std::string::npos);
    CHECK(must(pair.client().status()).chains == pair.held);
}

TEST_CASE("a host that loses its state still refuses a fork of what its files hold", "[peer]") {
    Pair pair;
    pair.anna.snapshot("epr", "one");
    REQUIRE(replicate(pair.anna, pair.bert.id()).state == "done");
    const auto head = must(pair.client().status()).chains.at(0);
    vault::Envelope facts;
    facts.trust = pair.anna.id();
    facts.chain = head.chain;
    facts.number = head.length - 1;
    const auto forged = vault::sign_entry(facts, vault::clear_body("{}"), pair.anna.ledger_key());
    const auto put =
        pair.client().put(vault::entry_name(head.chain, facts.number), vault::encode_entry(forged));
    REQUIRE_FALSE(put);
    CHECK(is_refusal(put.error(), Refusal::Fork));
}

TEST_CASE("a partner that is away is waited for, then named unreachable", "[peer]") {
    Pair pair;
    pair.anna.snapshot("epr", random_bytes(100'000, 3));
    pair.bert.stop();
    PushSettings settings;
    settings.end = pair.bert.end_for(pair.anna.id());
    settings.host = pair.bert.id();
    settings.own_roster = pair.anna.roster();
    settings.host_roster = pair.bert.roster();
    settings.tries_max = 3;
    settings.first_pause_ms = 1;
    PushProgress progress;
    PushReport report;
    const auto away = push(pair.anna.store(), pair.anna.tls(), settings, progress, report);
    REQUIRE_FALSE(away);
    CHECK(away.error().code == Errc::Unreachable);
    CHECK(report.objects == 0);

    SECTION("and one that comes back while it is waited for is served") {
        settings.tries_max = 1000;
        settings.first_pause_ms = 1;
        PushProgress again;
        const auto store = pair.anna.store();
        Result<void> done = Error{Errc::Io, "it did not end"};
        std::thread pusher([&] { done = push(store, pair.anna.tls(), settings, again, report); });
        pair.bert.start();
        pusher.join();
        CHECK(done);
        CHECK(report.receipts.size() == 1);
    }
    SECTION("and a wait can be stopped") {
        settings.tries_max = 1000;
        PushProgress stopped;
        stopped.stop = true;
        const auto done = push(pair.anna.store(), pair.anna.tls(), settings, stopped, report);
        CHECK(done.error().code == Errc::Interrupted);
    }
}

TEST_CASE("papers reach the host if the trust signed them", "[peer]") {
    Pair pair;
    vault::Record record{"person", vault::addressed_to(pair.anna.id()), 1, "{}", {}};
    vault::sign(record, pair.bert.officer());
    auto control = pair.anna.control();
    CHECK_FALSE(control.put_paper(pair.bert.id(), vault::encode(record)));

    vault::Record envelope{"envelope", vault::addressed_to(pair.bert.id()), 1, "{}", {}};
    vault::sign(envelope, pair.anna.ledger_key());
    must(control.put_paper(pair.bert.id(), vault::encode(envelope)));
    must(control.put_paper(pair.bert.id(), vault::encode(envelope)));
    const auto kept = must(control.papers_at(pair.bert.id()));
    REQUIRE(kept.size() == 1);
    CHECK(kept[0] == vault::encode(envelope));
    vault::Record other{"envelope", vault::addressed_to(pair.anna.id()), 1, "{}", {}};
    vault::sign(other, pair.anna.ledger_key());
    CHECK_FALSE(control.put_paper(pair.bert.id(), vault::encode(other)));
}

TEST_CASE("objects are read whole, in ranges and by pages", "[peer]") {
    Pair pair;
    const std::string text = random_bytes(2'000'000, 9);
    pair.anna.snapshot("epr", text);
    REQUIRE(replicate(pair.anna, pair.bert.id()).state == "done");
    auto http = must(SyncClient::make(&pair.anna.tls()));
    HttpPeer peer{"https://" + pair.bert.settings().address, "", pair.bert.tls().key_hash(), ""};
    const std::string base = "/trusts/" + pair.anna.id().hex() + "/objects";
    std::string pack;
    for (const std::string& name : names_in(pair.anna.store())) {
        if (name.starts_with("pack/")) pack = name;
    }
    const Buffer whole = must(pair.anna.store().get_all(pack, vault::object_bytes_max));
    CHECK(must(http.get(peer, base + "/" + pack)).body == whole);
    const auto ranged = [&](const std::string& range) {
        ClientRequest request;
        request.path = base + "/" + pack;
        request.range = range;
        return must(http.request(peer, std::move(request)));
    };
    const HttpReply part = ranged("100-299");
    CHECK(part.status == 206);
    CHECK(part.body == Buffer(whole.begin() + 100, whole.begin() + 300));
    CHECK(ranged(std::to_string(whole.size() - 5) + "-").body.size() == 5);
    CHECK(ranged(std::to_string(whole.size()) + "-").status == 416);
    CHECK(must(http.get(peer, base + "/" + pack + "?leaves=0-99999")).status == 416);
    CHECK(must(http.get(peer, base + "/" + pack + "?leaves=x")).status == 416);
    CHECK(must(http.get(peer, base + "/pack/none")).status == 404);
    CHECK(must(http.get(peer, base + "?limit=0")).status == 400);
    CHECK(must(http.get(peer, base + "?prefix=..%2F")).status == 400);

    std::vector<std::string> paged;
    std::string after;
    for (bool more = true; more;) {
        const auto reply = must(http.get(peer, base + "?limit=2&after=" + after));
        const NamesPage page = must(parse_names_page(reply.body));
        paged.insert(paged.end(), page.names.begin(), page.names.end());
        more = page.more && !page.names.empty();
        if (more) after = page.names.back();
    }
    CHECK(paged == names_in(pair.anna.store()));
}

TEST_CASE("three trusts host each other at once", "[peer]") {
    TestTrust anna("Anna"), bert("Bert"), carl("Carl");
    for (TestTrust* one : {&anna, &bert, &carl}) one->start();
    pair_up(anna, bert);
    pair_up(bert, carl);
    pair_up(carl, anna);
    const std::vector<std::pair<TestTrust*, TestTrust*>> hosting{
        {&anna, &bert}, {&anna, &carl}, {&bert, &carl}, {&carl, &anna}};
    for (const auto& [owner, host] : hosting) agree(*owner, *host);
    std::map<TestTrust*, vault::SnapshotRecord> records;
    for (TestTrust* one : {&anna, &bert, &carl}) {
        records[one] = one->snapshot("epr", one->roster().name + " has this");
        must(one->control().replicate(std::nullopt));
    }
    for (const auto& [owner, host] : hosting) {
        CHECK(replicate(*owner, host->id()).state == "done");
        auto copy = must(owner->control().store_at(host->id()));
        CHECK(owner->read_back(*copy, records[owner]) == owner->roster().name + " has this");
    }
}

}  // namespace holdfast::replicator::test
