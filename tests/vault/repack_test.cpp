// Repack: sealed chunks move, snapshots are relisted, and nothing changes but where things lie.
#include "vault/prune/repack.h"
#include "tests/vault/test_vault.h"
#include "vault/base/file.h"
#include "vault/pack/pack_reader.h"
#include "vault/prune/erase.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

RepackSettings settings_for(std::set<SnapshotId> in_use = {}) {
    RepackSettings settings;
    settings.in_use = [in_use]() -> Result<std::set<SnapshotId>> { return in_use; };
    return settings;
}

RepackReport repacked(Vault& vault, const RepackSettings& settings = settings_for()) {
    const auto report = repack(vault, settings);
    INFO((report ? "" : report.error().message));
    REQUIRE(report);
    return *report;
}

EraseReport erased(Vault& vault) {
    const auto report = erase_unneeded(vault, {});
    REQUIRE(report);
    return *report;
}

std::string noise_text(std::size_t bytes) {
    Buffer out(bytes);
    system_random().fill(out);
    return std::string(as_text(out));
}

/// Four snapshots, each of a file of 400 kB that it alone has and a small one that all later ones
/// have too; all but the last are forgotten.
struct Sparse : TestVault {
    explicit Sparse(int count = 4) {
        const auto vault = open();
        for (int i = 0; i < count; ++i) {
            clock.wall += 1000;
            files["own"] = noise_text(400'000);
            files["kept" + std::to_string(i)] = noise_text(50'000);
            records.push_back(snapshot(*vault, files));
        }
        std::vector<SnapshotId> gone;
        for (std::size_t i = 0; i + 1 < records.size(); ++i) gone.push_back(records[i].id);
        REQUIRE(vault->forget(gone));
    }
    const SnapshotRecord& last() const { return records.back(); }

    Files files;
    std::vector<SnapshotRecord> records;
};

std::uint64_t stored(Vault& vault) {
    std::uint64_t bytes = 0;
    REQUIRE(vault.store().list("pack/", [&](const std::string& name) -> Result<void> {
        bytes += *vault.store().size(name);
        return {};
    }));
    return bytes;
}

/// Another index, which has to learn all from the vault.
VerifyReport check_from_nothing(const TestVault& node) {
    VaultPlaces fresh = node.places();
    fresh.state += "-fresh";
    VerifyReport report = node.verify(*node.open(fresh));
    CHECK(report.clean());
    return report;
}

}  // namespace

TEST_CASE("what is needed of sparse packs moves, and the packs go", "[prune][repack]") {
    Sparse node;
    const auto vault = node.open();
    const std::uint64_t before = stored(*vault);
    const RepackReport report = repacked(*vault);
    CHECK(report.old_packs == 3);
    CHECK(report.new_packs == 1);
    CHECK(report.snapshots == 1);
    CHECK(report.damage.empty());
    CHECK(node.verify(*vault).clean());  // Old and new lie side by side.
    const EraseReport erase = erased(*vault);
    CHECK(erase.erased.packs == 3);
    CHECK(erase.waiting.packs == 0);
    CHECK(stored(*vault) < before / 2);
    const auto found = vault->reader().find(node.last().id.hex());
    REQUIRE(found);
    CHECK(found->list != node.last().list);
    CHECK(node.verify(*vault).clean());
    CHECK(repacked(*vault).old_packs == 0);

    SECTION("a reader that begins with nothing finds all of it") {
        CHECK(check_from_nothing(node).paths == node.files.size() + 1);
    }
    SECTION("the next snapshot builds on it, and stores nothing twice") {
        node.clock.wall += 1000;
        CHECK(node.snapshot(*vault, node.files).new_bytes == 0);
        CHECK(node.verify(*vault).clean());
    }
    SECTION("and can be repacked again, with its gaps") {
        node.clock.wall += 1000;
        node.files = {{"kept1", node.files["kept1"]}, {"new", noise_text(10'000)}};
        const SnapshotRecord next = node.snapshot(*vault, node.files);
        REQUIRE(vault->forget({node.last().id}));
        erased(*vault);
        CHECK(repacked(*vault).old_packs >= 1);
        erased(*vault);
        CHECK(stored(*vault) < 300'000);
        CHECK(vault->reader().find(next.id.hex()));
        CHECK(node.verify(*vault).clean());
        check_from_nothing(node);
    }
}

TEST_CASE("a pack whose manifest moved is found by the list alone", "[prune][repack]") {
    // Small snapshots, whose packs hold data and manifest in one, become one pack.
    TestVault node;
    const auto vault = node.open();
    std::vector<SnapshotRecord> records;
    for (int i = 0; i < 6; ++i) {
        node.clock.wall += 1000;
        records.push_back(node.snapshot(*vault, {{"a", noise_text(100)}}));
    }
    const RepackReport report = repacked(*vault);
    CHECK(report.old_packs == 6);
    CHECK(report.new_packs == 1);
    CHECK(report.snapshots == 6);
    CHECK(erased(*vault).erased.packs == 6);
    for (const SnapshotRecord& record : records) {
        const auto now = vault->reader().find(record.id.hex());
        REQUIRE(now);
        CHECK_FALSE(vault->reader().packs_of(*now)->contains(record.manifest_pack));
        CHECK(vault->reader().manifest(*now));
    }
    CHECK(node.verify(*vault).clean());
    check_from_nothing(node);
}

TEST_CASE("a file whose extents lie in parts keeps its parts", "[prune][repack]") {
    TestVault node;
    const auto vault = node.open();
    std::string pages;
    const std::string page_a = noise_text(fixed_piece_bytes);
    const std::string page_b = noise_text(fixed_piece_bytes);
    for (std::size_t i = 0; i <= extents_inline_max; ++i) pages += i % 2 == 0 ? page_a : page_b;
    TestVault::Files files{{"pages", pages}, {"dies", noise_text(3'000'000)}};
    const SnapshotRecord first = node.snapshot(*vault, files);
    node.clock.wall += 1000;
    files.erase("dies");
    const SnapshotRecord second = node.snapshot(*vault, files);
    REQUIRE(second.new_bytes == 0);
    REQUIRE(vault->forget({first.id}));
    REQUIRE(repacked(*vault).old_packs >= 1);
    CHECK(erased(*vault).erased.packs >= 1);
    CHECK(node.verify(*vault).clean());
    CHECK(stored(*vault) < 1'000'000);
}

TEST_CASE("gaps add up when what was repacked is repacked again", "[prune][repack]") {
    TestVault node;
    const auto vault = node.open();
    TestVault::Files files;
    for (const char* dies : {"a1", "a2", "a3"}) files[dies] = noise_text(2'000'000);
    files["y"] = noise_text(2'000'000);
    files["z"] = noise_text(1'000'000);
    std::vector<SnapshotRecord> records;
    const auto next = [&] {
        node.clock.wall += 1000;
        records.push_back(node.snapshot(*vault, files));
        if (records.size() > 1) REQUIRE(vault->forget({records[records.size() - 2].id}));
    };
    next();
    for (const char* dies : {"a1", "a2", "a3"}) files.erase(dies);
    next();
    REQUIRE(repacked(*vault).old_packs >= 1);
    erased(*vault);
    files.erase("y");
    next();
    REQUIRE(repacked(*vault).old_packs >= 1);
    erased(*vault);
    bool has_gap = false;  // Else this tests nothing.
    const auto packs = vault->reader().packs_of(*vault->reader().latest("share"));
    REQUIRE(packs);
    for (const PackId& pack : *packs) {
        const auto directory = open_directory(vault->store(), pack, vault->keys());
        REQUIRE(directory);
        for (const DirectorySegment& segment : directory->segments) {
            for (const DirectoryChunk& chunk : segment.chunks) {
                has_gap = has_gap || (chunk.is_gap() && chunk.numbers() > 2);
            }
        }
    }
    CHECK(has_gap);
    CHECK(node.verify(*vault).clean());
    check_from_nothing(node);
}

TEST_CASE("what is in use, or hardly sparse, is not repacked", "[prune][repack]") {
    Sparse node;
    const auto vault = node.open();
    CHECK(repacked(*vault, settings_for({node.last().id})).old_packs == 0);
    RepackSettings wide = settings_for();
    wide.unused_percent_max = 90;
    CHECK(repacked(*vault, wide).old_packs == 0);
    SECTION("nor relisted, if it came into use meanwhile") {
        RepackSettings late;
        int asked = 0;
        late.in_use = [&]() -> Result<std::set<SnapshotId>> {
            if (asked++ == 0) return std::set<SnapshotId>{};
            return std::set<SnapshotId>{node.last().id};
        };
        const RepackReport report = repacked(*vault, late);
        CHECK(report.new_packs == 1);
        CHECK(report.snapshots == 0);
        // Nothing names the new pack: it goes again, and the old ones stay.
        CHECK(erased(*vault).erased.packs == 1);
        CHECK(node.verify(*vault).clean());
    }
    SECTION("nor if it was forgotten meanwhile") {
        const auto other = node.open();
        RepackSettings late;
        bool forgotten = false;
        late.in_use = [&]() -> Result<std::set<SnapshotId>> {
            if (!std::exchange(forgotten, true)) return std::set<SnapshotId>{};
            REQUIRE(other->forget({node.last().id}));
            return std::set<SnapshotId>{};
        };
        CHECK(repacked(*vault, late).snapshots <= 1);
        REQUIRE(vault->reader().refresh());
        CHECK(vault->reader().snapshots().empty());
        erased(*vault);
        CHECK(stored(*vault) == 0);
    }
}

TEST_CASE("a repack that ended half-way is gone on with, and moves nothing twice",
          "[prune][repack]") {
    Sparse node;
    const auto vault = node.open();
    node.clock.wall += 1000;
    node.files["more"] = noise_text(200'000);  // A pack of its own, that stays.
    const SnapshotRecord second = node.snapshot(*vault, node.files);
    RepackSettings first = settings_for();
    RepackProgress progress;
    first.progress = &progress;
    int asked = 0;
    first.in_use = [&]() -> Result<std::set<SnapshotId>> {
        // The choice, the first snapshot, and no more.
        if (asked++ < 2) return std::set<SnapshotId>{};
        return Error{Errc::Interrupted, "stopped here"};
    };
    REQUIRE_FALSE(repack(*vault, first));
    CHECK(node.verify(*vault).clean());
    const std::uint64_t stored_once = stored(*vault);
    const RepackReport rest = repacked(*vault);
    CHECK(rest.new_bytes <= pack_bytes_min);  // What was moved is found.
    CHECK(stored(*vault) <= stored_once + pack_bytes_min);
    erased(*vault);
    CHECK(vault->reader().snapshots().size() == 2);
    CHECK(vault->reader().find(second.id.hex()));
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("damaged packs stay where they are, and are named", "[prune][repack]") {
    Sparse node(6);
    const auto vault = node.open();
    const std::string pack = pack_name(node.records[1].manifest_pack);
    Buffer bytes = *vault->store().get_all(pack, pack_bytes_max);
    bytes[bytes.size() / 2] ^= 1;
    REQUIRE(write_file_durably(node.path(pack), bytes));
    const RepackReport report = repacked(*vault);
    REQUIRE(report.damage.size() == 1);
    CHECK(report.damage[0].object == pack);
    CHECK(report.old_packs == 4);
    erased(*vault);
    CHECK(vault->store().size(pack));
    CHECK(vault->reader().find(node.last().id.hex()));
}

TEST_CASE("a throttled repack takes its time", "[prune][repack]") {
    Sparse node;
    const auto vault = node.open();
    RepackSettings slow = settings_for();
    slow.bytes_per_second_max = 8'000'000;
    const std::int64_t start = system_clock().steady_ns();
    const RepackReport report = repacked(*vault, slow);
    const double seconds = static_cast<double>(system_clock().steady_ns() - start) / 1e9;
    CHECK(seconds >= static_cast<double>(report.old_bytes + report.new_bytes) / 8e6 - 0.01);
}

TEST_CASE("the latest relist counts, and a later chain's over an older one's", "[prune]") {
    Sparse node;
    const auto vault = node.open();
    const auto list_of = [&](const SnapshotId& id) { return vault->reader().find(id.hex())->list; };
    const auto packs = vault->reader().packs_of(node.last());
    REQUIRE(packs);
    const BuiltList whole = build_list(PackSet(packs->begin(), packs->end()), nullptr);
    const BuiltList other = build_list(PackSet{node.last().manifest_pack}, nullptr);
    REQUIRE(vault->relist({node.last().id}, other));
    CHECK(list_of(node.last().id) == other.list.id);
    REQUIRE(vault->relist({node.last().id}, whole));
    CHECK(list_of(node.last().id) == whole.list.id);
    // The node loses the end of its chain, and goes on in another.
    const auto chain = vault->chain().id();
    const auto length = vault->reader().ledger().chain(chain)->length();
    REQUIRE(vault->store().remove(entry_name(chain, length - 1)));
    const auto later = node.open();
    CHECK(later->reader().find(node.last().id.hex())->list == other.list.id);
    node.clock.wall -= 1'000'000;  // Its clock is behind now.
    REQUIRE(later->relist({node.last().id}, whole));
    REQUIRE(later->chain().id() != chain);
    CHECK(later->reader().find(node.last().id.hex())->list == whole.list.id);
    CHECK(node.open()->reader().find(node.last().id.hex())->list == whole.list.id);
}

TEST_CASE("all snapshots that stand on the same packs afterwards are relisted by one entry",
          "[prune][repack]") {
    TestVault node;
    const auto vault = node.open();
    std::vector<SnapshotId> taken;
    for (int i = 0; i < 6; ++i) {
        node.clock.wall += 1000;
        taken.push_back(node.snapshot(*vault, {{"a", "version " + std::to_string(i)}}).id);
    }
    const std::uint64_t before = vault->reader().ledger().chain(vault->chain().id())->length();
    CHECK(repacked(*vault).snapshots == 6);
    CHECK(vault->reader().ledger().chain(vault->chain().id())->length() == before + 1);
    std::set<ListId> lists;
    for (const SnapshotId& id : taken) lists.insert(*vault->reader().standing().relisted(id));
    CHECK(lists.size() == 1);
    erased(*vault);
    CHECK(node.verify(*vault).clean());
    CHECK(vault->reader().snapshots().size() == 6);
}
