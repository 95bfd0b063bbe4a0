// The index as workers use it at once: claimed, stored, asked for.
#include "vault/index/chunk_index.h"
#include "vault/snapshot/pack_needs.h"

#include "tests/harness/scratch_folder.h"
#include "vault/crypto/random.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

std::unique_ptr<ChunkIndex> new_index() {
    auto opened = ChunkIndex::open(":memory:");
    REQUIRE(opened);
    return std::move(*opened);
}

Directory directory_of(const ChunkId& chunk) {
    DirectorySegment segment;
    segment.chunks.push_back({chunk, 100, 90});
    return {{segment}, 0};
}

}  // namespace

TEST_CASE("a chunk is claimed, then in its pack, and never in between") {
    const auto index = new_index();
    Random& random = system_random();
    std::vector<ChunkId> chunks(400);
    for (ChunkId& chunk : chunks) {
        chunk = random.id<ChunkId>();
        REQUIRE(*index->claim(chunk));
    }
    std::atomic<bool> storing{true};
    bool stored = true;  // Catch2's checks are for one thread.
    std::thread worker([&] {
        for (const ChunkId& chunk : chunks) {
            const auto added =
                index->add_pack(random.id<PackId>(), pack_bytes_min, directory_of(chunk));
            if (!added) stored = false;
        }
        storing = false;
    });
    std::size_t asked = 0;
    std::optional<Error> hole;
    while (!hole && (storing || asked == 0)) {
        PackNeeds needs(*index);
        for (const ChunkId& chunk : chunks) {
            const auto answer = needs.need(chunk);
            if (!answer) hole = answer.error();
            ++asked;
        }
    }
    worker.join();
    REQUIRE(stored);
    INFO((hole ? hole->message : ""));
    CHECK_FALSE(hole);
    PackNeeds needs(*index);
    for (const ChunkId& chunk : chunks) REQUIRE(needs.need(chunk));
    CHECK(needs.packs().size() == chunks.size());
}

TEST_CASE("a chunk whose pack is bad is claimed again, and its old pack not needed") {
    const auto index = new_index();
    Random& random = system_random();
    const ChunkId chunk = random.id<ChunkId>();
    const PackId bad = random.id<PackId>();
    const PackId good = random.id<PackId>();
    REQUIRE(index->add_pack(bad, pack_bytes_min, directory_of(chunk)));
    REQUIRE(index->mark_bad(bad));
    REQUIRE(*index->claim(chunk));
    PackNeeds during(*index);
    REQUIRE(during.need(chunk));
    CHECK(during.packs().empty());
    REQUIRE(index->add_pack(good, pack_bytes_min, directory_of(chunk)));
    PackNeeds after(*index);
    REQUIRE(after.need(chunk));
    CHECK(after.packs() == std::set<PackId>{good});
}

TEST_CASE("a chunk that nobody stores is a hole") {
    const auto index = new_index();
    PackNeeds needs(*index);
    const auto answer = needs.need(system_random().id<ChunkId>());
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::NotFound);
}

TEST_CASE("what a pack holds is counted where the chunks are found, and files' content alone") {
    const auto index = new_index();
    Random& random = system_random();
    const ChunkId twice = random.id<ChunkId>();
    const PackId first = random.id<PackId>();
    const PackId second = random.id<PackId>();
    Directory directory = directory_of(twice);
    directory.segments[0].name.salt[0] = 1;
    directory.segments[0].chunks.push_back({random.id<ChunkId>(), 60, 50});
    REQUIRE(index->add_pack(first, pack_bytes_min, directory));
    Directory other = directory_of(twice);
    other.segments.push_back(other.segments[0]);
    other.segments[1].name.kind = Kind::Meta;
    other.segments[1].chunks = {{random.id<ChunkId>(), 1000, 1000}};
    REQUIRE(index->add_pack(second, 2 * pack_bytes_min, other));
    const auto usage = index->usage();
    REQUIRE(usage);
    REQUIRE(usage->size() == 2);
    CHECK(usage->at(first).stored_bytes == pack_bytes_min);
    CHECK(usage->at(first).chunks == 2);
    CHECK(usage->at(first).content_bytes == 140);
    CHECK(usage->at(second).stored_bytes == 2 * pack_bytes_min);
    CHECK(usage->at(second).chunks == 0);
    CHECK(usage->at(second).content_bytes == 0);
    REQUIRE(index->mark_bad(first));
    const auto moved = index->usage();
    REQUIRE(moved);
    CHECK(moved->at(first).content_bytes == 50);
    CHECK(moved->at(second).chunks == 1);
    CHECK(moved->at(second).content_bytes == 90);
}

TEST_CASE("a chunk is found where it is sound, and a pack that goes does not take other places") {
    const auto index = new_index();
    Random& random = system_random();
    const ChunkId chunk = random.id<ChunkId>();
    const std::vector<PackId> packs{random.id<PackId>(), random.id<PackId>(), random.id<PackId>()};
    for (const PackId& pack : packs) {
        REQUIRE(index->add_pack(pack, pack_bytes_min, directory_of(chunk)));
    }
    const auto sound = [&](std::size_t other, std::size_t another) {
        const auto place = index->find(chunk);
        REQUIRE(place);
        return place->pack != packs[other] && place->pack != packs[another];
    };
    REQUIRE(index->mark_bad(packs[0]));
    REQUIRE(*index->doom({packs[1]}) == 1u);
    CHECK(sound(0, 1));
    REQUIRE(index->remove_packs({packs[2]}));
    CHECK_FALSE(*index->is_sound(chunk));
    CHECK(index->find(chunk));  // What is doomed or bad may still be read.
    CHECK(*index->claim(chunk));
    index->drop_claims();
    REQUIRE(index->revive({packs[1]}));
    CHECK(*index->is_sound(chunk));
    CHECK(sound(0, 2));
    REQUIRE(index->remove_packs({packs[0], packs[1]}));
    CHECK(index->find(chunk).error().code == Errc::NotFound);
    CHECK(*index->packs() == 0u);
    CHECK(*index->chunks() == 0u);
}

TEST_CASE("each doom is a generation of its own, and a pack keeps its first") {
    const auto index = new_index();
    Random& random = system_random();
    const PackId first = random.id<PackId>();
    const PackId second = random.id<PackId>();
    for (const PackId& pack : {first, second}) {
        REQUIRE(index->add_pack(pack, pack_bytes_min, directory_of(random.id<ChunkId>())));
    }
    CHECK(*index->doom_generation() == 0u);
    REQUIRE(*index->doom({first}) == 1u);
    REQUIRE(*index->doom({first, second, random.id<PackId>()}) == 2u);
    CHECK(*index->doom_generation() == 2u);
    CHECK(*index->doomed() == std::map<PackId, std::uint64_t>{{first, 1}, {second, 2}});
}

TEST_CASE("an index of another schema is begun anew, and kept when it is of this one") {
    const holdfast::test::ScratchFolder scratch;
    const std::string path = scratch / "index.db";
    {
        auto old = Database::open(path, Durability::Cache);
        REQUIRE(old);
        REQUIRE(
            old->execute("CREATE TABLE pack (number INTEGER PRIMARY KEY, id BLOB);"
                         "INSERT INTO pack VALUES (1, x'00')"));
    }
    {
        const auto index = ChunkIndex::open(path);
        REQUIRE(index);
        CHECK(*(*index)->packs() == 0u);
        REQUIRE((*index)->add_pack(system_random().id<PackId>(), pack_bytes_min, {}));
    }
    const auto again = ChunkIndex::open(path);
    REQUIRE(again);
    CHECK(*(*again)->packs() == 1u);
}
