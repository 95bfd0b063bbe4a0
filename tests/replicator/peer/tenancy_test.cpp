// What a tenancy lets in, tried on the class itself; the routes are tried in replicate_test.cpp.
#include "replicator/tenancy/refusal.h"
#include "tests/replicator/peer/test_trust.h"
#include "vault/ledger/body.h"
#include "vault/ledger/list.h"
#include "vault/pack/pack_writer.h"
#include "vault/renew.h"

#include <filesystem>

namespace holdfast::replicator::test {
namespace {

using holdfast::test::random_bytes;
using holdfast::test::ScratchFolder;

constexpr Terms wide{1, 1_GiB, 1'000'000, 0};

struct Room {
    Room() {
        must(make_folders(folder.path()));
        reopen();
    }
    void reopen(const std::vector<vault::ChainHead>& witnessed = {}) {
        tenancy =
            std::make_unique<Tenancy>(folder / "tenancy", owner.id(), host.id(), system_clock());
        must(tenancy->load(must(rosters_in(owner.store())), witnessed));
    }
    Result<Stored> put(const std::string& name, const Terms& terms = wide) {
        const Buffer object = must(owner.store().get_all(name, vault::object_bytes_max));
        return put_as(name, object, terms);
    }
    Result<Stored> put_as(const std::string& name, View object, const Terms& terms = wide) {
        if (!name.starts_with("pack/")) return tenancy->put(name, object, terms);
        const PackId id{must(vault::id_in_name(name)).digest};
        auto upload = HF_TRY(tenancy->start_pack(id, object.size(), terms));
        if (!upload) return Stored::Was;
        HF_TRY(upload->add(object));
        HF_TRY(upload->finish());
        return tenancy->put_pack(std::move(*upload), terms);
    }
    void put_all(const std::string& folder_name) {
        for (const std::string& name : names(folder_name)) must(put(name));
    }
    std::vector<std::string> names(const std::string& prefix) const {
        std::vector<std::string> out;
        must(owner.store().list(prefix, [&](const std::string& name) -> Result<void> {
            out.push_back(name);
            return {};
        }));
        return out;
    }
    std::string entry(std::uint64_t number) const {
        return vault::entry_name(owner.open_vault()->reader().ledger().heads().at(0).chain, number);
    }

    ScratchFolder folder;
    TestTrust owner{"Owner"};
    TestTrust host{"Host"};
    std::unique_ptr<Tenancy> tenancy;
};

bool refused(const Result<Stored>& result, Refusal refusal) {
    return !result && is_refusal(result.error(), refusal);
}

}  // namespace

TEST_CASE("a tenancy takes a vault in order, and is then the same vault", "[peer]") {
    Room room;
    const std::string text = random_bytes(300'000, 1);
    const auto record = room.owner.snapshot("epr", text);
    for (const char* folder : {"domain/", "pack/", "epoch/", "list/", "ledger/"}) {
        room.put_all(folder);
    }
    auto copy = must(vault::PosixStore::open(Tenancy::vault_folder(room.folder / "tenancy")));
    CHECK(room.owner.read_back(copy, record) == text);
    CHECK(must(room.tenancy->usage()).packs == room.names("pack/").size());
    for (const char* folder : {"domain/", "pack/", "epoch/", "list/", "ledger/"}) {
        for (const std::string& name : room.names(folder)) {
            CHECK(must(room.put(name)) == Stored::Was);
        }
    }
    SECTION("and is so after a restart") {
        const Usage before = must(room.tenancy->usage());
        room.reopen(must(room.tenancy->heads()));
        const Usage after = must(room.tenancy->usage());
        CHECK(before.bytes == after.bytes);
        CHECK(before.objects == after.objects);
        CHECK(must(room.tenancy->heads()) == room.owner.open_vault()->reader().ledger().heads());
    }
}

TEST_CASE("what would be incomplete is refused, saying what is missing", "[peer]") {
    Room room;
    room.owner.snapshot("epr", random_bytes(200'000, 2));
    const std::string list = room.names("list/").at(0);
    const std::string epoch = room.names("epoch/").at(0);
    CHECK(refused(room.put(epoch), Refusal::DomainMissing));
    const auto no_packs = room.put(list);
    CHECK(refused(no_packs, Refusal::PacksMissing));
    room.put_all("pack/");
    CHECK(refused(room.put(room.entry(1)), Refusal::EntryMissing));
    must(room.tenancy->heads());
    room.put_all("domain/");
    room.put_all("epoch/");
    must(room.put(room.entry(0)));
    CHECK(refused(room.put(room.entry(1)), Refusal::ListMissing));
    must(room.put(list));
    must(room.put(room.entry(1)));
    CHECK(must(room.tenancy->heads()).at(0).length == 2);
}

TEST_CASE("an entry comes without its list only if the owner says it is forgotten", "[peer]") {
    Room room;
    room.owner.snapshot("epr", random_bytes(200'000, 2));
    room.put_all("domain/");
    room.put_all("epoch/");
    must(room.put(room.entry(0)));
    const std::string entry = room.entry(1);
    const Buffer object = must(room.owner.store().get_all(entry, vault::ledger_entry_bytes_max));
    CHECK(refused(room.put(entry), Refusal::ListMissing));
    CHECK(must(room.tenancy->put(entry, object, wide, EntryList::GivenUp)) == Stored::New);
    CHECK(must(room.tenancy->put(entry, object, wide, EntryList::GivenUp)) == Stored::Was);
    CHECK(must(room.put(entry)) == Stored::Was);
    CHECK(must(room.tenancy->heads()).at(0).length == 2);
    CHECK(room.tenancy->missing(room.names("list/"))->size() == 1);
    // It says nothing of other objects.
    CHECK_FALSE(room.tenancy->put(room.names("list/").at(0), Buffer(10), wide, EntryList::GivenUp));
    room.reopen(must(room.tenancy->heads()));
    CHECK(must(room.tenancy->heads()).at(0).length == 2);
}

TEST_CASE("an entry whose epoch is missing is refused", "[peer]") {
    Room room;
    room.owner.snapshot("epr", "x");
    room.put_all("domain/");
    room.put_all("pack/");
    room.put_all("list/");
    std::uint64_t number = 0;
    auto stored = room.put(room.entry(number));
    while (stored) stored = room.put(room.entry(++number));
    CHECK(refused(stored, Refusal::EpochMissing));
}

TEST_CASE("a base list must come before the list that changes it", "[peer]") {
    Room room;
    vault::PackSet packs;
    for (int i = 0; i < 40; ++i) packs.push_back(vault::system_random().id<PackId>());
    std::sort(packs.begin(), packs.end());
    const auto base = vault::build_list(packs, nullptr);
    packs.pop_back();
    const auto next = vault::build_list(packs, &base.list);
    CHECK(refused(room.put_as(vault::list_name(next.list.id), next.object), Refusal::BaseMissing));
    CHECK(refused(room.put_as(vault::list_name(base.list.id), base.object), Refusal::PacksMissing));
    CHECK(must(room.tenancy->usage()).objects == 2);  // format and the roster
}

TEST_CASE("wrapped keys of a new seal are taken beside the old, under its names alone", "[peer]") {
    Room room;
    room.owner.snapshot("share", "Dear colleague");
    room.put_all("domain/");
    room.put_all("epoch/");
    const std::string old_domain = room.names("domain/").at(0);
    const std::string old_epoch = room.names("epoch/").at(0);
    const std::string seal = "0123456789abcdef";
    const auto object_of = [&](const std::string& name) {
        return must(room.owner.store().get_all(name, vault::record_bytes_max));
    };
    // A record says of which seal it is; an epoch is of one whose domain is here.
    CHECK(
        refused(room.put_as(old_domain + "-" + seal, object_of(old_domain)), Refusal::NotItsName));
    CHECK(
        refused(room.put_as(old_epoch + "-" + seal, object_of(old_epoch)), Refusal::DomainMissing));
    CHECK_FALSE(room.put_as(old_epoch + "-nonsense", object_of(old_epoch)));

    const auto vault = room.owner.open_vault();
    const vault::UnderRecovery under{vault::BoxKey::make(vault::system_random()).public_key, seal};
    {
        const auto lock = must(vault->lock_keys());
        must(vault::renew_keys(*vault, room.owner.recovery(), under, 1, vault::system_random()));
    }
    room.put_all("domain/");
    room.put_all("epoch/");
    CHECK(room.names("epoch/").size() == 2);
    CHECK(room.names("domain/").size() == 2);
    room.reopen();
    CHECK(must(room.tenancy->missing(room.names("epoch/"))).empty());
    CHECK(must(room.tenancy->missing(room.names("domain/"))).empty());
}

TEST_CASE("bytes under another's name are refused", "[peer]") {
    Room room;
    room.owner.snapshot("epr", random_bytes(200'000, 3));
    room.put_all("domain/");
    for (const char* folder : {"pack/", "epoch/"}) {
        const std::string name = room.names(folder).at(0);
        Buffer object = must(room.owner.store().get_all(name, vault::object_bytes_max));
        std::string other = name;
        other.back() = other.back() == '0' ? '1' : '0';
        CHECK(refused(room.put_as(other, object), Refusal::NotItsName));
        object[object.size() / 2] ^= 1;
        if (name.starts_with("pack/")) {
            CHECK(refused(room.put_as(name, object), Refusal::NotItsName));
        }
        object.pop_back();
        CHECK(refused(room.put_as(name, object), Refusal::NotItsName));
    }
    room.put_all("pack/");
    const std::string list = room.names("list/").at(0);
    Buffer object = must(room.owner.store().get_all(list, vault::object_bytes_max));
    std::string other = list;
    other.back() = other.back() == '0' ? '1' : '0';
    CHECK(refused(room.put_as(other, object), Refusal::NotItsName));
    const std::uint64_t before = must(room.tenancy->usage()).objects;
    CHECK_FALSE(room.put_as("roster/0000000000000002", object));
    CHECK_FALSE(room.put_as("anything/else", object));
    CHECK_FALSE(room.put_as("domain/../../x", object));
    CHECK(must(room.tenancy->usage()).objects == before);
}

TEST_CASE("quota and daily allowance hold to the byte, and nothing is stored beyond", "[peer]") {
    Room room;
    room.owner.snapshot("epr", random_bytes(200'000, 4));
    const std::string pack = room.names("pack/").at(0);
    const std::uint64_t size = must(room.owner.store().size(pack));
    const std::uint64_t held = must(room.tenancy->usage()).bytes;
    Terms terms = wide;
    terms.quota_bytes = held + size - 1;
    CHECK(refused(room.put(pack, terms), Refusal::OverQuota));
    terms = wide;
    terms.objects_max = must(room.tenancy->usage()).objects;
    CHECK(refused(room.put(pack, terms), Refusal::OverQuota));
    terms = wide;
    terms.new_bytes_a_day = must(room.tenancy->usage()).new_bytes_today + size - 1;
    CHECK(refused(room.put(pack, terms), Refusal::OverDaily));
    CHECK(must(room.tenancy->usage()).bytes == held);
    terms.new_bytes_a_day += 1;
    terms.quota_bytes = held + size;
    must(room.put(pack, terms));
    CHECK(must(room.tenancy->usage()).bytes == held + size);
}

TEST_CASE("a fork is refused, whether files or only the witness remember", "[peer]") {
    Room room;
    room.owner.snapshot("epr", "one");
    for (const char* folder : {"domain/", "pack/", "epoch/", "list/"}) room.put_all(folder);
    must(room.put(room.entry(0)));
    const auto chain = room.owner.open_vault()->reader().ledger().heads().at(0).chain;
    const auto forged = [&](std::uint64_t number, const Digest& previous,
                            const vault::SigningKey& key) {
        vault::Envelope facts;
        facts.trust = room.owner.id();
        facts.chain = chain;
        facts.number = number;
        facts.previous = previous;
        return vault::encode_entry(
            vault::sign_entry(facts, vault::clear_body(R"({"type":"other"})"), key));
    };
    const vault::SigningKey& key = room.owner.ledger_key();
    CHECK(refused(room.put_as(room.entry(0), forged(0, {}, key)), Refusal::Fork));
    CHECK(refused(room.put_as(room.entry(1), forged(1, {}, key)), Refusal::Fork));
    const Digest root = must(room.tenancy->heads()).at(0).root;
    const auto stranger = room.put_as(room.entry(1), forged(1, root, room.host.ledger_key()));
    REQUIRE_FALSE(stranger);
    CHECK(stranger.error().code == Errc::Denied);

    const auto heads = room.owner.open_vault()->reader().ledger().heads();
    room.reopen(heads);  // The witness remembers more than the files have.
    if (heads.at(0).length == 2) {
        CHECK(refused(room.put_as(room.entry(1), forged(1, root, key)), Refusal::Fork));
    }
    must(room.put(room.entry(1)));

    SECTION("and files that went another way than was witnessed are not used") {
        auto bent = must(room.tenancy->heads());
        bent[0].root.digest[0] ^= 1;
        Tenancy other(room.folder / "tenancy", room.owner.id(), room.host.id(), system_clock());
        const auto loaded = other.load(must(rosters_in(room.owner.store())), bent);
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().code == Errc::Corrupt);
        CHECK_FALSE(other.usage());
    }
}

TEST_CASE("an upload that is dropped leaves nothing", "[peer]") {
    Room room;
    room.owner.snapshot("epr", random_bytes(200'000, 5));
    const std::string name = room.names("pack/").at(0);
    const PackId id{must(vault::id_in_name(name)).digest};
    const std::string incoming = room.folder / "tenancy/incoming/";
    const std::uint64_t length = must(room.owner.store().size(name));
    {
        auto upload = must(room.tenancy->start_pack(id, length, wide));
        must(upload->add(Buffer(1000)));
        CHECK_FALSE(std::filesystem::is_empty(incoming));
    }
    CHECK(std::filesystem::is_empty(incoming));
    auto left = must(room.tenancy->start_pack(id, length, wide));
    static_cast<void>(left->release());  // As a kill would leave it.
    room.reopen();
    CHECK(std::filesystem::is_empty(incoming));
}

}  // namespace holdfast::replicator::test
