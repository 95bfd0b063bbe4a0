// A ledger that is as large as what stands in it: what a carry keeps, and that it alone is enough.
#include "tests/vault/test_vault.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/ledger/body.h"
#include "vault/prune/carry_over.h"
#include "vault/prune/erase.h"
#include "vault/prune/repack.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

namespace fs = std::filesystem;

struct Carried : TestVault {
    Carried() : vault(open()) {}

    SnapshotRecord take(const std::string& text) {
        clock.wall += 1000;
        return snapshot(*vault, {{"a", text}});
    }
    CarryReport carry(std::set<SnapshotId> attached = {}) {
        CarrySettings settings;
        settings.entries_min = 1;
        settings.attached = [&] { return attached; };
        const auto report = carry_ledger_over(*vault, settings);
        INFO((report ? "" : report.error().message));
        REQUIRE(report);
        return *report;
    }
    std::uint64_t length() const {
        return vault->reader().ledger().chain(vault->chain().id())->length();
    }
    std::string entry(std::uint64_t number) const {
        return path(entry_name(vault->chain().id(), number));
    }
    EntryNumbers stored() const {
        const auto numbers = stored_entries(vault->store(), vault->chain().id());
        REQUIRE(numbers);
        return *numbers;
    }

    std::unique_ptr<Vault> vault;
};

std::vector<SnapshotId> ids(Vault& vault) {
    std::vector<SnapshotId> out;
    for (const SnapshotRecord& one : vault.reader().snapshots()) out.push_back(one.id);
    return out;
}

void damage(const std::string& file) {
    Buffer bytes = *read_file(file, object_bytes_max);
    bytes[bytes.size() / 2] ^= 1;
    REQUIRE(write_file_durably(file, bytes));
}

}  // namespace

TEST_CASE("a carry keeps what stands, and the chain's head stays what it was", "[vault][carry]") {
    Carried node;
    const auto first = node.take("first");
    const auto second = node.take("second");
    const auto third = node.take("third");
    REQUIRE(node.vault->forget({second.id}));
    const auto head = node.vault->reader().ledger().chain(node.vault->chain().id())->head();
    const CarryReport report = node.carry();
    CHECK(report.carried);
    CHECK(report.before == 5);  // The opening, three snapshots, what forgets one.
    CHECK(report.kept == 3);
    CHECK(report.erased == 0);  // There is no older carry to fall back on.

    const auto fresh = node.open();
    const Ledger& ledger = fresh->reader().ledger();
    const Chain& chain = *ledger.chain(node.vault->chain().id());
    CHECK(chain.first() == 5);
    CHECK(chain.had(head));
    CHECK(chain.head() == node.vault->reader().ledger().chain(chain.head().chain)->head());
    CHECK(ids(*fresh) == std::vector{first.id, third.id});
    CHECK(fresh->reader().standing().forgotten().empty());
    for (const SnapshotRecord& record : fresh->reader().snapshots()) {
        CHECK(fresh->reader().manifest(record));
    }
    CHECK(node.verify(*fresh).clean());
}

TEST_CASE("what lies before the last carry but one is erased, and nobody misses it",
          "[vault][carry]") {
    Carried node;
    const auto old = node.open();  // Reads now, and again when all it knew is gone.
    std::vector<SnapshotId> live;
    for (int round = 0; round < 3; ++round) {
        const auto kept = node.take("kept " + std::to_string(round));
        const auto given_up = node.take("given up " + std::to_string(round));
        live.push_back(kept.id);
        REQUIRE(node.vault->forget({given_up.id}));
        const auto before = node.stored();
        const CarryReport report = node.carry();
        // Of the chain: 4 entries and a carry, then 3 and a carry, and 3 and a carry.
        CHECK(report.erased == (round == 0 ? 0 : 4));
        CHECK(node.stored().size() == before.size() + 1 - report.erased);
    }
    CHECK(node.stored().front() == 8);
    REQUIRE(old->reader().refresh());
    CHECK(ids(*old) == live);
    CHECK(old->reader().ledger_gaps().empty());
    CHECK(old->chain().damage().empty());
    node.clock.wall += 1000;
    live.push_back(node.snapshot(*old, {{"a", "by who read long ago"}}).id);
    const auto fresh = node.open();
    CHECK(ids(*fresh) == live);
    CHECK(fresh->chain().id() == node.vault->chain().id());
    CHECK(node.verify(*fresh).clean());
}

TEST_CASE("who read long ago forgets what was forgotten since, though nothing says so any more",
          "[vault][carry]") {
    Carried node;
    const auto given_up = node.take("given up");
    const auto kept = node.take("kept");
    const auto old = node.open();
    REQUIRE(ids(*old) == std::vector{given_up.id, kept.id});
    REQUIRE(node.vault->forget({given_up.id}));
    node.carry();
    const auto later = node.take("later");
    node.carry();
    REQUIRE(node.stored().front() > 2);
    REQUIRE(old->reader().refresh());
    CHECK(ids(*old) == std::vector{kept.id, later.id});
    CHECK(old->reader().standing().forgotten().empty());
}

TEST_CASE("a snapshot that is written by who knows erased entries alone makes no fork",
          "[vault][carry]") {
    Carried node;
    const auto old = node.open();
    node.take("one");
    node.carry();
    node.take("two");
    node.carry();
    REQUIRE(node.stored().front() != 0);
    // Without a look at the ledger: what append() itself must notice.
    const auto written = old->reader().ledger().append(
        {node.vault->chain().id(), &old->node().ledger, node.places().state + "/ledger.lock"},
        node.clock.wall, ListId{},
        [](const ChainId&, std::uint64_t) { return clear_body(R"({"type":"note"})"); });
    REQUIRE(written);
    CHECK(written->envelope.number == node.length());
    CHECK(node.open()->chain().damage().empty());
    CHECK(node.verify(*node.open()).clean());
}

TEST_CASE("a damaged carry has an older one behind it", "[vault][carry]") {
    Carried node;
    const auto first = node.take("first");
    node.carry();
    const auto second = node.take("second");
    const std::uint64_t at = node.length();
    node.carry();
    const auto third = node.take("third");
    SECTION("and the entries between them") {
        damage(node.entry(at));
        const auto fresh = node.open();
        CHECK(ids(*fresh) == std::vector{first.id, second.id});
        CHECK_FALSE(fresh->reader().ledger_gaps().empty());
    }
    SECTION("and what lies before a whole one may be damaged") {
        damage(node.entry(at - 1));
        fs::remove(node.entry(at - 2));
        const auto fresh = node.open();
        CHECK(ids(*fresh) == std::vector{first.id, second.id, third.id});
        CHECK(node.verify(*fresh).clean());
    }
    SECTION("without either the chain is damaged, and the node opens another") {
        damage(node.entry(at));
        fs::remove(node.entry(at - 2));
        const auto fresh = node.open();
        CHECK(ids(*fresh).empty());
        const auto warning = fresh->chain().make_sound();
        REQUIRE(warning);
        CHECK(*warning);
        CHECK(fresh->chain().id() != node.vault->chain().id());
    }
}

TEST_CASE("a carry of several parts counts when all are there", "[vault][carry]") {
    Carried node;
    const auto first = node.take("first");
    for (int i = 0; i < 3; ++i) {
        const Json fact{{"type", "note"}, {"text", std::string(700'000, 'x')}};
        REQUIRE(node.vault->record_fact(json_text(fact)));
    }
    const std::uint64_t at = node.length();
    node.carry();
    REQUIRE(node.length() == at + 3);
    const auto whole = node.open();
    CHECK(whole->reader().ledger().chain(node.vault->chain().id())->first() == at);
    CHECK(whole->reader().ledger().entries().at(node.vault->chain().id()).size() == 5 + 3);
    // As a kill between two parts leaves it; what was read before is gone on with.
    fs::remove(node.entry(at + 2));
    const auto cut = node.open();
    CHECK(cut->reader().ledger().chain(node.vault->chain().id())->first() == 0);
    CHECK(ids(*cut) == std::vector{first.id});
}

TEST_CASE("a snapshot that is mounted is carried though it was forgotten", "[vault][carry]") {
    Carried node;
    const auto mounted = node.take("mounted");
    const auto other = node.take("other");
    const auto last = node.take("last");
    REQUIRE(node.vault->forget({mounted.id, other.id}));
    CHECK(node.carry({mounted.id}).kept == 4);  // Opening, mounted, last, and what forgets it.
    const auto fresh = node.open();
    CHECK(ids(*fresh) == std::vector{last.id});
    CHECK(fresh->reader().standing().forgotten().contains(mounted.id));
    EraseSettings settings;
    settings.attached = [&] { return std::set{mounted.id}; };
    REQUIRE(erase_unneeded(*fresh, settings));
    CHECK(fresh->reader().packs_of(mounted));
    node.vault = node.open();
    node.take("newest");
    CHECK(node.carry().kept == 3);  // Opening, last, newest.
}

TEST_CASE("a repacked snapshot stands on its new list behind a carry", "[vault][carry]") {
    Carried node;
    std::string text = random_bytes(100'000, 1);
    std::vector<SnapshotRecord> taken;
    for (std::uint64_t i = 0; i < 5; ++i) {
        text = text.substr(0, 60'000) + random_bytes(300'000, 10 + i);
        taken.push_back(node.take(text));
    }
    REQUIRE(node.vault->forget({taken[0].id, taken[1].id, taken[2].id, taken[3].id}));
    RepackSettings settings;
    settings.unused_percent_max = 0;
    const auto moved = repack(*node.vault, settings);
    REQUIRE(moved);
    REQUIRE(moved->snapshots == 1);
    const auto list = node.vault->reader().standing().relisted(taken[4].id);
    REQUIRE(list);
    CHECK(node.carry().kept == 3);  // Opening, snapshot, relist.
    node.take(text);
    CHECK(node.carry().kept == 4);
    const auto fresh = node.open();
    CHECK(fresh->reader().standing().relisted(taken[4].id) == list);
    REQUIRE(erase_unneeded(*fresh, {}));
    CHECK(node.verify(*fresh).clean());
}

TEST_CASE("relists are carried in few words", "[vault][carry]") {
    Carried node;
    std::vector<SnapshotId> taken;
    for (int i = 0; i < 20; ++i) taken.push_back(node.take("version " + std::to_string(i)).id);
    RepackSettings settings;
    settings.unused_percent_max = 0;
    REQUIRE(repack(*node.vault, settings)->snapshots == 20);
    const auto list = node.vault->reader().standing().relisted(taken[7]);
    std::vector<SnapshotId> most(taken.begin(), taken.end());
    most.erase(most.begin() + 7);
    REQUIRE(node.vault->forget(most));
    CHECK(node.carry().kept == 3);  // Opening, snapshot, one relist.
    const auto fresh = node.open();
    CHECK(fresh->reader().standing().relisted(taken[7]) == list);
    const auto deciding =
        fresh->reader().standing().deciding([](const SnapshotId&) { return true; });
    REQUIRE(deciding.size() == 1);
    CHECK(deciding.begin()->second.named == 1);
    REQUIRE(erase_unneeded(*fresh, {}));
    CHECK(node.verify(*fresh).clean());
}

TEST_CASE("a ledger with gaps is not carried over; what forgets snapshots of another chain is kept",
          "[vault][carry]") {
    Carried node;
    const auto old = node.take("in the old chain");
    node.take("kept");
    const std::string last = node.entry(node.length() - 1);
    const Buffer bytes = *read_file(last, object_bytes_max);
    fs::remove(last);  // So another chain is opened.
    node.vault = node.open();
    const auto later = node.take("in the new one");
    REQUIRE(node.vault->forget({old.id, later.id}));
    REQUIRE(node.vault->reader().ledger_gaps().size() == 1);
    CHECK_FALSE(node.carry().carried);  // Nobody knows what the old chain says.

    REQUIRE(write_file_durably(last, bytes));
    node.vault = node.open();
    REQUIRE(node.vault->reader().ledger_gaps().empty());
    const CarryReport report = node.carry();
    CHECK(report.before == 3);
    CHECK(report.kept == 2);  // The opening, and what forgets the old chain's snapshot.
    const auto fresh = node.open();
    CHECK(ids(*fresh).size() == 1);
    CHECK(fresh->reader().standing().forgotten().contains(old.id));
}

TEST_CASE("a carry is not due before enough has come, and then each is carried a few times",
          "[vault][carry]") {
    Carried node;
    for (int i = 0; i < 11; ++i) node.take(std::to_string(i));
    CarrySettings settings;
    settings.entries_min = 13;
    CHECK_FALSE(carry_ledger_over(*node.vault, settings)->carried);
    node.take("one more");
    settings.dry_run = true;
    const std::uint64_t length = node.length();
    CHECK(carry_ledger_over(*node.vault, settings)->carried);
    CHECK(node.length() == length);
    settings.dry_run = false;
    settings.entries_min = 2;
    CHECK(carry_ledger_over(*node.vault, settings)->carried);
    node.vault = node.open();
    for (int i = 0; i < 4; ++i) node.take("more " + std::to_string(i));
    CHECK_FALSE(carry_ledger_over(*node.vault, settings)->carried);  // 5 of half of 13.
    node.take("enough");
    CHECK(carry_ledger_over(*node.vault, settings)->carried);
}
