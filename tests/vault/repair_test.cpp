// Repair: damaged and missing objects come back from a copy, with few bytes, and only if they are
// what their names or signers say.
#include "vault/repair/repair.h"
#include "tests/vault/test_vault.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

namespace fs = std::filesystem;

Buffer noise(std::size_t bytes) {
    Buffer out(bytes);
    system_random().fill(out);
    return out;
}

PackId name_of(View file) {
    return pack_id_of(file);
}

/// A place that has `file` as its pack, and counts what it is asked.
struct Place {
    explicit Place(Buffer bytes) : file(std::move(bytes)), leaves(merkle_leaves_of_file(file)) {}
    Result<ProvenLeaf> operator()(std::uint64_t leaf) {
        ++asked;
        const std::uint64_t at = leaf * merkle_leaf_bytes;
        const View bytes =
            View(file).subspan(at, std::min<std::size_t>(merkle_leaf_bytes, file.size() - at));
        return ProvenLeaf{file.size(), Buffer(bytes.begin(), bytes.end()),
                          prove_range(leaves, leaf, 1)};
    }
    Buffer file;
    std::vector<Digest> leaves;
    std::size_t asked = 0;
};

Result<MendedPack> mend(const PackId& pack, Buffer damaged, Place& place) {
    return mend_pack(pack, std::move(damaged), [&](std::uint64_t leaf) { return place(leaf); });
}

}  // namespace

TEST_CASE("a pack is mended by few leaves, wherever it is damaged", "[repair]") {
    for (const std::size_t size : {std::size_t{pack_bytes_min}, std::size_t{pack_bytes_min} + 1,
                                   std::size_t{300'000}, std::size_t{256} * merkle_leaf_bytes}) {
        Place place(noise(size));
        const PackId pack = name_of(place.file);
        const std::size_t leaves = place.leaves.size();
        for (std::size_t leaf = 0; leaf < leaves; leaf += 1 + leaves / 7) {
            INFO(size << " bytes, leaf " << leaf);
            Buffer damaged = place.file;
            damaged[leaf * merkle_leaf_bytes] ^= 1;
            place.asked = 0;
            const auto mended = mend(pack, damaged, place);
            REQUIRE(mended);
            CHECK(mended->file == place.file);
            CHECK(mended->leaves == place.asked);
            CHECK(place.asked <= 10);  // Of 256: one a level, and the one that is bad.
        }
    }
}

TEST_CASE("a pack that is cut, grown, or gone is mended", "[repair]") {
    Place place(noise(20 * merkle_leaf_bytes + 17));
    const PackId pack = name_of(place.file);
    Buffer cut = place.file;
    cut.resize(cut.size() - 5000);
    CHECK(mend(pack, cut, place)->file == place.file);
    CHECK(place.asked < 8);
    Buffer grown = place.file;
    grown.push_back(0);
    CHECK(mend(pack, grown, place)->file == place.file);
    place.asked = 0;
    CHECK(mend(pack, {}, place)->file == place.file);
    CHECK(place.asked == place.leaves.size());
    Buffer scattered = place.file;
    for (std::size_t at = 0; at < scattered.size(); at += 3 * merkle_leaf_bytes) scattered[at] ^= 1;
    CHECK(mend(pack, scattered, place)->file == place.file);
}

TEST_CASE("a place that holds another pack mends nothing", "[repair]") {
    Place place(noise(5 * merkle_leaf_bytes));
    const Buffer ours = noise(5 * merkle_leaf_bytes);
    const auto mended = mend(name_of(ours), ours, place);
    REQUIRE_FALSE(mended);
    CHECK(mended.error().code == Errc::Corrupt);
    Place small(noise(10));
    CHECK_FALSE(mend(name_of(ours), ours, small));
}

namespace {

/// A vault of four snapshots, a copy of it, and what comes of damage to the first.
struct Mending : TestVault {
    Mending() {
        const auto vault = open();
        Files files;
        for (const char letter : {'a', 'b', 'c', 'd'}) {
            clock.wall += 1000;
            const Buffer content = noise(200'000);
            files[std::string(1, letter)] = std::string(as_text(content));
            snapshot(*vault, files);
        }
        fs::copy(places().objects, copy_path(), fs::copy_options::recursive);
    }
    std::string copy_path() const { return places().state + "-copy"; }

    static RepairSource source_of(const std::string& name, const std::string& folder) {
        RepairSource source;
        source.name = name;
        source.object = [folder](const std::string& object,
                                 std::uint64_t bytes_max) -> Result<Buffer> {
            const PosixStore store = HF_TRY(PosixStore::open(folder));
            return store.get_all(object, bytes_max);
        };
        source.leaf = [folder](const PackId& pack, std::uint64_t leaf) -> Result<ProvenLeaf> {
            const PosixStore store = HF_TRY(PosixStore::open(folder));
            Place place(HF_TRY(store.get_all(pack_name(pack), pack_bytes_max)));
            if (name_of(place.file) != pack) {
                return Error{Errc::Corrupt, "what it sends is not part of the pack"};
            }
            return place(leaf);
        };
        return source;
    }

    /// As often as it mends something: what is back may name what is missing too.
    RepairReport repair_from(const std::vector<RepairSource>& sources) const {
        RepairReport all;
        for (int round = 0;; ++round) {
            const auto vault = open();
            const VerifyReport found = verify(*vault);
            CHECK((round != 0 || !found.clean()));
            RepairSettings settings;
            settings.sources = sources;
            settings.quarantine = places().state + "/quarantine";
            const auto report = vault::repair(*vault, found.damage, settings);
            INFO((report ? "" : report.error().message));
            REQUIRE(report);
            all.left = report->left;
            all.mended.insert(all.mended.end(), report->mended.begin(), report->mended.end());
            all.wrong.insert(all.wrong.end(), report->wrong.begin(), report->wrong.end());
            if (report->mended.empty()) return all;
        }
    }

    std::string first_in(const std::string& folder) const {
        std::string first;
        const auto vault = open();
        REQUIRE(vault->store().list(folder, [&](const std::string& name) -> Result<void> {
            if (first.empty()) first = name;
            return {};
        }));
        return first;
    }
    void flip(const std::string& object) const {
        Buffer bytes = *read_file(path(object), object_bytes_max);
        bytes[bytes.size() / 2] ^= 1;
        REQUIRE(write_file_durably(path(object), bytes));
    }
    void check_whole() const {
        const auto vault = open();
        const VerifyReport report = verify(*vault);
        for (const Damage& one : report.damage) UNSCOPED_INFO(one.object << ": " << one.what);
        CHECK(report.clean());
        CHECK(report.snapshots == 4);
        CHECK_FALSE(*vault->chain().make_sound());
    }
};

}  // namespace

TEST_CASE("each kind of object is mended from a copy, and the evidence kept", "[repair]") {
    Mending node;
    for (const char* folder : {"pack/", "list/", "epoch/", "domain/", "ledger/"}) {
        INFO(folder);
        const std::string object = node.first_in(folder);
        const Buffer whole = *read_file(node.path(object), object_bytes_max);
        node.flip(object);
        const Buffer damaged = *read_file(node.path(object), object_bytes_max);
        const RepairReport report =
            node.repair_from({Mending::source_of("Trumpton", node.copy_path())});
        CHECK(report.left.empty());
        CHECK(report.wrong.empty());
        REQUIRE(report.mended.size() == 1);
        CHECK(report.mended[0].object == object);
        CHECK(report.mended[0].from == "Trumpton");
        CHECK(*read_file(node.path(object), object_bytes_max) == whole);
        std::string flat = object;
        std::replace(flat.begin(), flat.end(), '/', '_');
        CHECK(*read_file(node.places().state + "/quarantine/" + flat, object_bytes_max) == damaged);
        node.check_whole();
    }
}

TEST_CASE("what is gone comes back: packs, and the end of a chain", "[repair]") {
    Mending node;
    const std::string pack = node.first_in("pack/");
    fs::remove(node.path(pack));
    const auto vault = node.open();
    const auto chain = vault->chain().id();
    for (const std::uint64_t number : {3U, 4U}) fs::remove(node.path(entry_name(chain, number)));
    const RepairReport report =
        node.repair_from({Mending::source_of("Trumpton", node.copy_path())});
    CHECK(report.mended.size() == 3);
    CHECK(report.left.empty());
    node.check_whole();
}

TEST_CASE("a place that gives something else is named, and the next one asked", "[repair]") {
    Mending node;
    const std::string bad_copy = node.places().state + "-bad";
    fs::copy(node.copy_path(), bad_copy, fs::copy_options::recursive);
    const std::vector<std::string> objects{node.first_in("pack/"), node.first_in("list/"),
                                           node.first_in("ledger/")};
    for (const std::string& object : objects) {
        REQUIRE(write_file_durably(bad_copy + "/" + object, noise(70'000)));
        node.flip(object);
    }
    const RepairReport report = node.repair_from({Mending::source_of("Liar", bad_copy),
                                                  Mending::source_of("Nobody", "/nowhere"),
                                                  Mending::source_of("Good", node.copy_path())});
    CHECK(report.mended.size() == 3);
    for (const Repaired& one : report.mended) CHECK(one.from == "Good");
    REQUIRE(report.wrong.size() == 3);
    for (const Damage& one : report.wrong) CHECK(one.object == "Liar");
    node.check_whole();
}

TEST_CASE("what nobody has stays damaged, and is told", "[repair]") {
    Mending node;
    const std::string pack = node.first_in("pack/");
    node.flip(pack);
    const Buffer damaged = *read_file(node.path(pack), object_bytes_max);
    const RepairReport none = node.repair_from({});
    REQUIRE(none.left.size() == 1);
    CHECK(none.left[0].object == pack);
    const RepairReport away = node.repair_from({Mending::source_of("Nobody", "/nowhere")});
    REQUIRE(away.left.size() == 1);
    CHECK(away.left[0].what.find("Nobody") == 0);
    CHECK(away.mended.empty());
    CHECK(*read_file(node.path(pack), object_bytes_max) == damaged);
}

TEST_CASE("a verify that goes on checks only what was not, and a sample the oldest",
          "[verify][repair]") {
    Mending node;
    const auto vault = node.open();
    const auto checked = [&](std::int64_t since, unsigned percent, bool read_data) {
        node.clock.wall += 1000;
        VerifySettings settings;
        settings.clock = &node.clock;
        settings.skip_since_ms = since;
        settings.sample_percent = percent;
        settings.read_data = read_data;
        const auto report = vault::verify(vault->reader(), settings);
        REQUIRE(report);
        CHECK(report->clean());
        CHECK(report->packs + report->packs_skipped == 4);
        return report->packs;
    };
    const std::int64_t start = node.clock.wall;
    CHECK(checked(0, 50, false) == 2);
    CHECK(checked(start, 100, true) == 4);  // Their bytes were checked, not their content.
    CHECK(checked(start, 100, false) == 0);
    const std::int64_t again = node.clock.wall + 1;
    CHECK(checked(0, 1, false) == 1);
    CHECK(checked(0, 25, false) == 1);  // Another one each time.
    CHECK(checked(0, 50, false) == 2);
    CHECK(checked(again, 100, false) == 0);
}
