// The golden vaults, read by the program of today: what cannot be read any more has been lost.
#include "agent/restore/restore_snapshot.h"
#include "tests/golden/description.h"
#include "vault/base/file.h"
#include "vault/crypto/base64.h"
#include "vault/keys/custody.h"
#include "vault/keys/domain.h"
#include "vault/keys/kit.h"
#include "vault/lazy_keys.h"
#include "vault/ledger/open_body.h"
#include "vault/store/posix_store.h"
#include "vault/verify.h"

#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

using namespace holdfast;
using namespace holdfast::vault;
namespace fs = std::filesystem;

namespace {

std::string text_of(const std::string& path) {
    const auto bytes = read_file(path, 16 << 20);
    REQUIRE(bytes);
    return std::string(as_text(*bytes));
}

/// A golden vault, opened as a recovery does: with the kit and its passphrase alone.
struct Golden {
    explicit Golden(const std::string& name)
        : folder(std::string(HF_SOURCE_DIR) + "/tests/golden/" + name),
          store(*PosixStore::open(folder + "/vault")),
          keys(store, {}, std::nullopt) {
        const auto kit = parse_kit(text_of(folder + "/kit.json"));
        REQUIRE(kit);
        std::string passphrase = text_of(folder + "/passphrase.txt");
        passphrase.pop_back();
        auto secrets = open_kit(*kit, Secret::copy_of(as_view(passphrase)));
        REQUIRE(secrets);
        recovery = BoxKey::from_secret(std::move(secrets->recovery.secret));
        roster = *read_roster(store, kit->trust);
        keys.set_seal(roster.seal);
        index = *ChunkIndex::open(":memory:");
        REQUIRE(store.list("domain/", [&](const std::string& object) { return add(object); }));
        reader = std::make_unique<VaultReader>(store, *index, keys, roster);
        REQUIRE(reader->refresh());
    }

    Result<void> add(const std::string& object) {
        const DomainId id{HF_TRY(sealed_name(object)).id.digest};
        const Buffer bytes = HF_TRY(store.get_all(object, record_bytes_max));
        const DomainRecord record = HF_TRY(parse_domain(bytes, id, roster));
        DomainKeys domain = HF_TRY(open_domain(record, recovery));
        namings.emplace(id, std::make_unique<Naming>(domain.naming));
        by_id[id] = namings[id].get();
        keys.add_opening(id, std::move(domain.opening));
        return {};
    }

    std::vector<std::string> expected() const {
        std::vector<std::string> names;
        for (const auto& item : fs::directory_iterator(folder + "/expected")) {
            names.push_back(item.path().stem().native());
        }
        return names;
    }

    std::string folder;
    PosixStore store;
    LazyKeys keys;
    BoxKey recovery;
    Roster roster;
    std::unique_ptr<ChunkIndex> index;
    std::map<DomainId, std::unique_ptr<Naming>> namings;
    std::map<DomainId, const Naming*> by_id;
    std::unique_ptr<VaultReader> reader;
};

struct Target {
    Target() {
        char name[] = "/tmp/holdfast-golden-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        path = name;
    }
    ~Target() { fs::remove_all(path); }
    std::string path;
};

/// `name` is a snapshot's id, and a source's name behind a dot if it has several.
void check_restores(Golden& golden, const std::string& name) {
    INFO(name);
    const std::size_t dot = name.find('.');
    const auto record = golden.reader->find(name.substr(0, dot));
    REQUIRE(record);
    const Target target;
    agent::RestoreSettings settings;
    settings.folder = target.path + "/to";
    settings.workers = 2;
    const auto facts = agent::restore_snapshot(*golden.reader, *record, settings);
    REQUIRE(facts);
    CHECK(facts->damaged_paths == 0);
    CHECK(facts->warnings.empty());
    std::string text;
    const std::string source = dot == std::string::npos ? "" : "/" + name.substr(dot + 1);
    for (const std::string& line : test::describe_tree(settings.folder + source)) {
        text += line + "\n";
    }
    CHECK(text == text_of(golden.folder + "/expected/" + name + ".txt"));
}

}  // namespace

TEST_CASE("golden vaults verify clean, chunk by chunk", "[golden]") {
    for (const char* name : {"node", "locked", "carried", "renewed"}) {
        INFO(name);
        Golden golden(name);
        VerifySettings settings;
        settings.read_data = true;
        settings.namings = &golden.by_id;
        const auto report = verify(*golden.reader, settings);
        REQUIRE(report);
        for (const Damage& damage : report->damage) FAIL_CHECK(damage.object << damage.what);
        CHECK(report->snapshots == golden.reader->snapshots().size());
        CHECK(report->snapshots >= 2);
        CHECK(report->content_not_opened == 0);
        CHECK(report->chunks > 5);
    }
}

TEST_CASE("golden snapshots come back as they were", "[golden]") {
    if (geteuid() != 0) {
        WARN("needs root, for owners and devices");
        return;
    }
    for (const char* name : {"node", "locked", "carried", "renewed"}) {
        Golden golden(name);
        const auto names = golden.expected();
        CHECK(names.size() >= golden.reader->snapshots().size());
        for (const std::string& one : names) check_restores(golden, one);
    }
}

TEST_CASE("golden vaults hold every kind of chunk, every codec and every filter", "[golden]") {
    std::set<Kind> kinds;
    std::set<int> codecs, filters;
    for (const char* name : {"node", "locked"}) {
        Golden golden(name);
        ChunkOpener opener(golden.keys);
        const auto look = [&](const std::string& object) -> Result<void> {
            const PackId id{HF_TRY(id_in_name(object)).digest};
            std::uint64_t at = pack_header_bytes;
            const Directory directory = HF_TRY(open_directory(golden.store, id, golden.keys));
            for (const DirectorySegment& segment : directory.segments) {
                kinds.insert(segment.name.kind);
                std::uint64_t number = 0;
                for (const DirectoryChunk& chunk : segment.chunks) {
                    const Buffer sealed = HF_TRY(golden.store.get(object, at, chunk.sealed_bytes));
                    const Buffer coded =
                        HF_TRY(opener.open(segment.name, number++, chunk.id, sealed));
                    codecs.insert(coded.at(0));
                    filters.insert(coded.at(1));
                    at += chunk.sealed_bytes;
                }
            }
            return {};
        };
        REQUIRE(golden.store.list("pack/", look));
    }
    CHECK(kinds == std::set<Kind>{Kind::Data, Kind::Meta, Kind::Refs, Kind::Index});
    CHECK(codecs == std::set<int>{0, 1});
    CHECK(filters == std::set<int>{0, 1, 2});
}

TEST_CASE("a golden chain that goes on from another says from where", "[golden]") {
    Golden golden("locked");
    const auto heads = golden.reader->ledger().heads();
    REQUIRE(heads.size() == 2);
    std::size_t named = 0;
    for (const auto& [chain, entries] : golden.reader->ledger().entries()) {
        const auto body = open_body(entries.front(), golden.keys);
        REQUIRE(body);
        const auto open = parse_open_body(*body, golden.roster.trust);
        REQUIRE(open);
        REQUIRE(*open);
        if (!(*open)->after) continue;
        ++named;
        CHECK(std::find(heads.begin(), heads.end(), *(*open)->after) != heads.end());
    }
    CHECK(named == 1);
}

TEST_CASE("a golden chain that began anew is known from its carry on", "[golden]") {
    Golden golden("carried");
    const auto heads = golden.reader->ledger().heads();
    REQUIRE(heads.size() == 1);
    const Chain& chain = *golden.reader->ledger().chain(heads[0].chain);
    CHECK(chain.first() > 5);
    CHECK(golden.reader->snapshots().size() == 2);
    for (const SnapshotRecord& one : golden.reader->snapshots()) CHECK(one.number < chain.first());
    CHECK(golden.store.size(entry_name(heads[0].chain, 0)).error().code == Errc::NotFound);
}

TEST_CASE("two golden custodians of three give the recovery key", "[golden]") {
    Golden golden("locked");
    CHECK(golden.roster.number == 2);
    const auto object = golden.store.get_all("custody/0000000000000001", record_bytes_max);
    REQUIRE(object);
    const auto custody = parse_custody(*object, golden.roster);
    REQUIRE(custody);
    std::vector<OpenedShare> shares;
    for (const char* name : {"/custodian-1.key", "/custodian-3.key"}) {
        std::string text = text_of(golden.folder + name);
        text.pop_back();
        const auto secret = from_base64(text);
        REQUIRE(secret);
        auto share = open_share(custody->set, BoxKey::from_secret(Secret::copy_of(*secret)));
        REQUIRE(share);
        shares.push_back(std::move(*share));
    }
    const auto key = recover(*custody, golden.roster, shares);
    REQUIRE(key);
    CHECK(key->public_key == golden.recovery.public_key);
}
