// Forgetting and erasing: what goes, what stays, and who is never in each other's way.
#include "tests/vault/test_vault.h"
#include "vault/base/file.h"
#include "vault/ledger/body.h"
#include "vault/ledger/standing.h"
#include "vault/prune/erase.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

namespace fs = std::filesystem;

std::string text(char letter) {
    return std::string(50'000, letter);
}

std::set<std::string> objects(Vault& vault, const std::string& prefix) {
    std::set<std::string> out;
    REQUIRE(vault.store().list(prefix, [&](const std::string& name) -> Result<void> {
        out.insert(name);
        return {};
    }));
    return out;
}

EraseReport erase(Vault& vault, const EraseSettings& settings = {}) {
    const auto report = erase_unneeded(vault, settings);
    INFO((report ? "" : report.error().message));
    REQUIRE(report);
    return *report;
}

/// Three snapshots, a second apart; each has a file of its own and one that all share.
struct Pruned : TestVault {
    Pruned() {
        const auto vault = open();
        for (const char letter : {'a', 'b', 'c'}) {
            clock.wall += 1000;
            records.push_back(snapshot(*vault, {{"own", text(letter)}, {"shared", text('s')}}));
        }
    }
    std::vector<SnapshotRecord> records;
};

/// Every pack in the store is on a live list, and all lists resolve.
void check_nothing_left_over(Vault& vault) {
    std::set<std::string> needed;
    for (const ListId& id : vault.reader().standing().live_lists(vault.reader().ledger())) {
        const auto list = vault.reader().ledger().list(id);
        REQUIRE(list);
        for (const PackId& pack : list->packs) needed.insert(pack_name(pack));
    }
    CHECK(objects(vault, "pack/") == needed);
}

}  // namespace

TEST_CASE("a forgotten snapshot is gone from every reader, and its packs with the next erase",
          "[prune]") {
    Pruned node;
    const auto vault = node.open();
    const auto other = node.open();
    const std::size_t before = objects(*vault, "pack/").size();
    REQUIRE(vault->forget({node.records[1].id}));
    CHECK(vault->reader().snapshots().size() == 2);
    CHECK(vault->reader().find(node.records[1].id.hex()).error().code == Errc::NotFound);
    REQUIRE(other->reader().refresh());
    CHECK(other->reader().snapshots().size() == 2);
    const EraseReport report = erase(*vault);
    CHECK(report.erased.packs == 1);
    CHECK(report.waiting.packs == 0);
    CHECK(report.needed.packs == before - 1);
    CHECK(report.erased.bytes == pack_bytes_min);
    CHECK(objects(*vault, "pack/").size() == before - 1);
    check_nothing_left_over(*vault);
    CHECK(node.verify(*vault).clean());
    CHECK(node.verify(*node.open()).clean());
    CHECK(erase(*vault).erased.packs == 0);
}

TEST_CASE("the list of a forgotten snapshot goes, unless a live one builds on it", "[prune]") {
    TestVault node;
    const auto vault = node.open();
    std::vector<SnapshotRecord> records;
    TestVault::Files files;
    for (int i = 0; i < 8; ++i) {
        node.clock.wall += 1000;
        files["f" + std::to_string(i)] = text(static_cast<char>('a' + i));
        records.push_back(node.snapshot(*vault, files));
    }
    const auto base_of = [&](std::size_t i) {
        const auto object = vault->store().get_all(list_name(records[i].list), list_bytes_max);
        REQUIRE(object);
        return parse_list(*object)->base;
    };
    REQUIRE(base_of(7) == records[6].list);  // Else this tests nothing.
    REQUIRE(vault->forget({records[6].id, records[0].id}));
    erase(*vault);
    CHECK(vault->store().size(list_name(records[6].list)));
    CHECK(vault->reader().ledger().list(records[7].list));
    CHECK(node.verify(*vault).clean());
    std::vector<SnapshotId> all;
    for (int i = 1; i < 6; ++i) all.push_back(records[static_cast<std::size_t>(i)].id);
    REQUIRE(vault->forget(all));
    node.clock.wall += 1000;
    const SnapshotRecord last = node.snapshot(*vault, {{"alone", text('z')}});
    REQUIRE(vault->forget({records[7].id}));
    erase(*vault);
    CHECK(objects(*vault, "list/") == std::set<std::string>{list_name(last.list)});
    check_nothing_left_over(*vault);
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("who was at work before keeps what it relies on", "[prune]") {
    Pruned node;
    const auto writer = node.open();
    const auto pruner = node.open();
    // It finds "own" in a pack that only the second snapshot needs, and that is forgotten before
    // it commits.
    const SnapshotRecord late =
        node.snapshot(*writer, {{"own", text('b')}}, [&](WrittenSnapshot& written) {
            CHECK(written.packs.contains(node.records[1].manifest_pack));
            REQUIRE(pruner->forget({node.records[1].id}));
            const EraseReport during = erase(*pruner);
            CHECK(during.erased.packs == 0);
            CHECK(during.waiting.packs == 2);  // That one, and its own new one.
            CHECK(during.processes == 1);
        });
    CHECK(late.new_bytes == 0);
    const EraseReport after = erase(*pruner);
    CHECK(after.erased.packs == 0);
    CHECK(after.waiting.packs == 0);
    CHECK(node.verify(*pruner).clean());
    CHECK(pruner->index().doomed()->empty());
    node.clock.wall += 1000;
    CHECK(node.snapshot(*writer, {{"own", text('b')}}).new_bytes == 0);
}

TEST_CASE("who comes after the doom stores anew, and keeps nothing from being erased", "[prune]") {
    Pruned node;
    const auto writer = node.open();
    const auto pruner = node.open();
    {
        const auto guest = pruner->enter();  // Because of it the pack is doomed and stays.
        REQUIRE(guest);
        REQUIRE(pruner->forget({node.records[1].id}));
        REQUIRE(erase(*pruner).waiting.packs == 1);
    }
    const SnapshotRecord late =
        node.snapshot(*writer, {{"own", text('b')}}, [&](const WrittenSnapshot& written) {
            CHECK_FALSE(written.packs.contains(node.records[1].manifest_pack));
            const EraseReport during = erase(*pruner);
            CHECK(during.erased.packs == 1);
            CHECK(during.processes == 1);
        });
    CHECK(late.new_bytes == text('b').size());
    CHECK(node.verify(*writer).clean());
    check_nothing_left_over(*writer);
}

TEST_CASE("a pack that no index knows waits while anybody is at work", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    const std::string lost = pack_name(system_random().id<PackId>());
    REQUIRE(vault->store().put(lost, Buffer(pack_bytes_min, 0)));
    {
        const auto guest = vault->enter();
        REQUIRE(guest);
        CHECK(erase(*vault).waiting.packs == 1);
    }
    CHECK(vault->store().size(lost));
    CHECK(erase(*vault).erased.packs == 1);
    CHECK_FALSE(vault->store().size(lost));
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("a dry run tells what would go, and changes nothing", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    const auto before = objects(*vault, "");
    EraseSettings settings;
    settings.dry_run = true;
    settings.as_if_forgotten = {node.records[0].id, node.records[1].id};
    CHECK(erase(*vault, settings).erased.packs == 1);  // The first's pack holds what all share.
    settings.as_if_forgotten.insert(node.records[2].id);
    CHECK(erase(*vault, settings).erased.packs == 3);
    CHECK(erase(*vault, settings).needed.packs == 0);
    CHECK(objects(*vault, "") == before);
    CHECK(*vault->index().doom_generation() == 0);
    CHECK(vault->reader().snapshots().size() == 3);
}

TEST_CASE("what is attached stays, though it was forgotten", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    REQUIRE(vault->forget({node.records[1].id, node.records[0].id}));
    EraseSettings settings;
    settings.attached = [&]() -> Result<std::set<SnapshotId>> {
        return std::set<SnapshotId>{node.records[1].id};
    };
    CHECK(erase(*vault, settings).erased.packs == 0);
    CHECK(vault->store().size(list_name(node.records[1].list)));
    // Mounted since the first look, by somebody who is no longer present.
    int asked = 0;
    settings.attached = [&]() -> Result<std::set<SnapshotId>> {
        if (asked++ == 0) return std::set<SnapshotId>{};
        return std::set<SnapshotId>{node.records[1].id};
    };
    CHECK(erase(*vault, settings).erased.packs == 0);
    CHECK(vault->store().size(pack_name(node.records[1].manifest_pack)));
    CHECK(erase(*vault).erased.packs == 1);
}

TEST_CASE("nothing is erased while it is not known what is needed", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    REQUIRE(vault->forget({node.records[0].id}));
    const auto before = objects(*vault, "pack/");
    SECTION("a list is gone, until its snapshot is forgotten too") {
        REQUIRE(vault->store().remove(list_name(node.records[1].list)));
        const auto refused = erase_unneeded(*vault, {});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::Corrupt);
        CHECK(refused.error().message.find(node.records[1].list.hex()) != std::string::npos);
        EraseSettings settings;
        settings.despite_damage = true;
        CHECK_FALSE(erase_unneeded(*vault, settings));
        CHECK(objects(*vault, "pack/") == before);
        REQUIRE(vault->forget({node.records[1].id}));
        erase(*vault);
        CHECK(node.verify(*vault).clean());
    }
    SECTION("an entry of the ledger is damaged, until somebody gives it up") {
        const std::string entry =
            node.path(entry_name(node.records[1].chain, node.records[1].number));
        REQUIRE(write_file_durably(entry, Buffer(300, 0)));
        const auto later = node.open();
        const auto refused = erase_unneeded(*later, {});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::Corrupt);
        CHECK(refused.error().message.find("--despite-damage") != std::string::npos);
        CHECK(objects(*later, "pack/") == before);
        EraseSettings settings;
        settings.despite_damage = true;
        // Only the first snapshot's entry can still be read.
        CHECK(erase(*later, settings).needed.packs == 1);
    }
}

TEST_CASE("what a prune that was killed left, the next one ends", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    REQUIRE(vault->forget({node.records[1].id}));
    // Doomed, its file gone, the index not told.
    const PackId pack = node.records[1].manifest_pack;
    REQUIRE(vault->index().doom({pack}));
    REQUIRE(vault->store().remove(pack_name(pack)));
    const auto next = node.open();
    CHECK(erase(*next).erased.packs == 0);
    CHECK_FALSE(*next->index().has_pack(pack));
    CHECK(next->index().doomed()->empty());
    CHECK(node.verify(*next).clean());
}

TEST_CASE("a snapshot that finds its packs erased is not committed, and the next try succeeds",
          "[prune]") {
    Pruned node;
    const auto vault = node.open();
    const auto writing = vault->begin_writing("share", OpeningKeys::Node);
    REQUIRE(writing);
    const PackId gone = system_random().id<PackId>();
    WrittenSnapshot written;
    written.packs = {gone};
    const auto refused = vault->commit(*writing, written, "share", node.clock.wall, 0);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Corrupt);
    CHECK(vault->reader().snapshots().size() == 3);
    node.snapshot(*vault, {{"own", text('d')}});
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("an index chunk that went with its snapshot is written anew", "[prune]") {
    TestVault node;
    const auto vault = node.open();
    TestVault::Files files;
    const auto next = [&](std::size_t uncovered_packs_max) {
        node.clock.wall += 1000;
        return node.snapshot(*vault, files, {}, uncovered_packs_max);
    };
    for (const char letter : {'a', 'b', 'c'}) {
        files[std::string(1, letter)] = text(letter);
        next(uncovered_max);
    }
    const SnapshotRecord covering = next(1);
    const auto refs = vault->reader().manifest(covering)->index;
    REQUIRE_FALSE(refs.empty());
    node.clock.wall += 1000;
    next(uncovered_max);
    REQUIRE(vault->forget({covering.id}));
    next(100);  // Else the newest names the index chunk.
    for (const auto& record : std::vector(vault->reader().snapshots())) {
        const auto manifest = vault->reader().manifest(record);
        REQUIRE(manifest);
        if (!manifest->index.empty()) REQUIRE(vault->forget({record.id}));
    }
    erase(*vault);
    CHECK_FALSE(*vault->index().is_sound(refs.front().chunk));
    const SnapshotRecord anew = next(1);
    CHECK_FALSE(vault->reader().manifest(anew)->index.empty());
    CHECK(node.verify(*vault).clean());
    CHECK(node.verify(*node.open()).clean());
}

TEST_CASE("more snapshots than an entry holds are forgotten by several", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    std::vector<SnapshotId> ids(standing_snapshots_max);
    for (SnapshotId& id : ids) id = system_random().id<SnapshotId>();
    ids.push_back(node.records[0].id);
    REQUIRE(vault->forget(ids));
    const auto other = node.open();
    CHECK(other->reader().snapshots().size() == 2);
    CHECK(other->reader().standing().forgotten().size() == ids.size());
    CHECK(other->reader().notes().empty());
    REQUIRE(vault->forget({}));
}

TEST_CASE("a forget body is read back, and only a clear one counts", "[prune]") {
    const std::vector<SnapshotId> ids{system_random().id<SnapshotId>()};
    for (const StandingKind kind : {StandingKind::Forget, StandingKind::Relist}) {
        const auto read = parse_standing_body(encode_standing_body({kind, ids}));
        REQUIRE(read);
        REQUIRE(*read);
        CHECK(**read == StandingBody{kind, ids});
    }
    CHECK_FALSE(*parse_standing_body(R"({"type":"open"})"));
    for (const char* wrong :
         {"", "[]", R"({"type":"forget"})", R"({"type":"forget","snapshots":"a"})",
          R"({"type":"forget","snapshots":[1]})", R"({"type":"forget","snapshots":["ab"]})"}) {
        INFO(wrong);
        const auto bad = parse_standing_body(wrong);
        REQUIRE_FALSE(bad);
        CHECK(bad.error().code == Errc::Corrupt);
    }
    Pruned node;
    const auto vault = node.open();
    REQUIRE(vault->record_fact(
        encode_standing_body({StandingKind::Forget, {node.records[0].id}})));  // Sealed.
    REQUIRE(vault->reader().refresh());
    CHECK(vault->reader().snapshots().size() == 3);
    CHECK(vault->reader().standing().forgotten().empty());
}

TEST_CASE("a list that rests here in words that cannot be read is written anew", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    const auto packs = vault->reader().packs_of(node.records[2]);
    REQUIRE(packs);
    PackSet more(packs->begin(), packs->end());
    const auto others = vault->reader().packs_of(node.records[1]);
    REQUIRE(others);
    for (const PackId& pack : *others) more.push_back(pack);
    std::sort(more.begin(), more.end());
    more.erase(std::unique(more.begin(), more.end()), more.end());
    const BuiltList built = build_list(more, nullptr);
    // As a killed prune may leave it: a change of a base that is gone.
    const Buffer left = encode_list({system_random().id<ListId>(), {}, more});
    REQUIRE(vault->store().put(list_name(built.list.id), left));
    REQUIRE_FALSE(vault->reader().ledger().list(built.list.id));
    REQUIRE(vault->relist({node.records[2].id}, built));
    CHECK(vault->reader().ledger().list(built.list.id));
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("presence ends with its holder, and what a killed one left is cleared", "[prune]") {
    Pruned node;
    const auto vault = node.open();
    const std::string folder = node.places().state + "/present";
    CHECK(vault->present()->processes == 0);
    {
        const auto first = vault->enter();
        REQUIRE(vault->index().doom({}));
        const auto second = vault->enter();
        REQUIRE((first && second));
        const auto present = vault->present();
        REQUIRE(present);
        CHECK(present->processes == 2);
        CHECK(present->oldest_generation == 0);
    }
    REQUIRE(write_file_durably(folder + "/0123", as_view("7")));  // Nobody has its lock.
    const auto third = vault->enter();
    REQUIRE(third);
    const auto present = vault->present();
    REQUIRE(present);
    CHECK(present->processes == 1);
    CHECK(present->oldest_generation == 1);
    CHECK_FALSE(path_exists(folder + "/0123"));
}
