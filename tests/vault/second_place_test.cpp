// A chunk may lie in several packs, and a pack may be on no list: what is read comes from where it
// is whole, and a snapshot builds on nothing that nobody has looked at.
#include "tests/harness/scratch_folder.h"
#include "tests/vault/test_vault.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

struct Places : TestVault {
    void flip_middle(const PackId& pack) const {
        Buffer bytes = *read_file(path(pack_name(pack)), object_bytes_max);
        bytes[bytes.size() / 2] ^= 1;
        REQUIRE(write_file_durably(path(pack_name(pack)), bytes));
    }
    const Files files{{"a", holdfast::test::random_bytes(200'000, 1)}};
};

}  // namespace

TEST_CASE("a chunk that is damaged in one pack is read from another", "[places]") {
    Places node;
    const auto vault = node.open();
    const PackId first = node.snapshot(*vault, node.files).manifest_pack;
    REQUIRE(vault->index().mark_bad(first));
    const SnapshotRecord record = node.snapshot(*vault, node.files);
    REQUIRE(record.manifest_pack != first);
    REQUIRE(vault->index().mark_sound(first));
    node.flip_middle(first);
    // As an index sees it that was learnt from both packs, the damaged one first.
    std::set<ChunkId> twice;
    for (const PackId& pack : {first, record.manifest_pack}) {
        const auto directory = open_directory(vault->store(), pack, vault->keys());
        REQUIRE(directory);
        for (const DirectorySegment& segment : directory->segments) {
            for (const DirectoryChunk& chunk : segment.chunks) {
                if (!chunk.is_gap() && vault->index().places(chunk.id)->size() == 2) {
                    twice.insert(chunk.id);
                }
            }
        }
    }
    REQUIRE(twice.size() >= 2);
    bool from_first = false;
    for (const ChunkId& chunk : twice) {
        from_first = from_first || vault->index().find(chunk)->pack == first;
        CHECK(vault->reader().chunk_reader()->read(chunk));
    }
    CHECK(from_first);
}

TEST_CASE("a chunk that is whole nowhere says where it should be", "[places]") {
    Places node;
    const auto vault = node.open();
    const SnapshotRecord record = node.snapshot(*vault, node.files);
    Buffer noise(pack_bytes_min);
    REQUIRE(write_file_durably(node.path(pack_name(record.manifest_pack)), noise));
    const auto read = vault->reader().chunk_reader()->read(record.manifest_map);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::Corrupt);
    CHECK(read.error().message.find(record.manifest_pack.hex()) != std::string::npos);
}

TEST_CASE("a snapshot does not build on a damaged pack that no list names", "[places]") {
    Places node;
    auto vault = node.open();
    const SnapshotRecord forgotten = node.snapshot(*vault, node.files);
    REQUIRE(vault->forget({forgotten.id}));
    node.flip_middle(forgotten.manifest_pack);
    vault = node.open();
    const auto failed = node.try_snapshot(*vault, node.files);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::Corrupt);
    CHECK(failed.error().message.find("run it again") != std::string::npos);
    const SnapshotRecord again = node.snapshot(*vault, node.files);
    CHECK_FALSE(vault->reader().packs_of(again)->contains(forgotten.manifest_pack));
    CHECK(node.verify(*node.open()).clean());
}

TEST_CASE("a snapshot builds on a whole pack that no list names", "[places]") {
    Places node;
    const auto vault = node.open();
    const SnapshotRecord forgotten = node.snapshot(*vault, node.files);
    REQUIRE(vault->forget({forgotten.id}));
    node.clock.wall += 1000;
    const SnapshotRecord again = node.snapshot(*vault, node.files);
    CHECK(vault->reader().packs_of(again)->contains(forgotten.manifest_pack));
    CHECK(node.verify(*vault).clean());
}
