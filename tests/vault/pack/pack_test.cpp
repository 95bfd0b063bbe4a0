#include "vault/pack/pack_reader.h"
#include "vault/pack/pack_writer.h"

#include "vault/chunk/codec.h"
#include "vault/keys/key_ring.h"
#include "vault/store/memory_store.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

struct Packing {
    Packing() {
        const BoxKey opening = BoxKey::make(random);
        epoch = make_epoch(random.id<DomainId>(), opening.public_key, {}, 1, random).epoch;
        keys.add(epoch);
    }

    BuiltPack pack(std::size_t data_bytes) {
        SegmentWriter data(epoch, Kind::Data, random);
        SegmentWriter refs(epoch, Kind::Refs, random);
        Buffer coded(data_bytes);
        random.fill(coded);
        data.add(id(1), static_cast<std::uint32_t>(data_bytes - 2), coded);
        refs.add(id(2), 8, Buffer(10, 7));
        std::vector<SegmentWriter> segments;
        segments.push_back(std::move(data));
        segments.push_back(std::move(refs));
        return build_pack(std::move(segments), epoch, random);
    }

    static ChunkId id(std::uint8_t n) {
        ChunkId out;
        out.digest[0] = n;
        return out;
    }

    Random& random = system_random();
    Epoch epoch;
    KeyRing keys;
};

}  // namespace

TEST_CASE("a pack's directory is what was put in, whatever its length", "[vault][pack]") {
    Packing packing;
    for (const std::size_t bytes :
         {16U, 1000U, 60'000U, 61'000U, 65'000U, 100'000U, 1'000'000U, 4'000'000U}) {
        const BuiltPack built = packing.pack(bytes);
        CHECK(built.file.size() == padded_length(built.file.size()));
        MemoryStore store;
        REQUIRE(store.put(pack_name(built.id), built.file));
        REQUIRE(check_pack(store, built.id));
        const auto directory = open_directory(store, built.id, packing.keys);
        REQUIRE(directory);
        REQUIRE(directory->segments.size() == 2);
        CHECK(directory->segments[0].chunks[0].id == Packing::id(1));
        ChunkOpener opener(packing.keys);
        const DirectoryChunk& chunk = directory->segments[0].chunks[0];
        const View sealed = View(built.file).subspan(pack_header_bytes, chunk.sealed_bytes);
        const auto coded = opener.open(directory->segments[0].name, 0, chunk.id, sealed);
        REQUIRE(coded);
        CHECK(coded->size() == bytes);
    }
}

TEST_CASE("padded lengths are few and cost little", "[vault][pack]") {
    CHECK(padded_length(1) == 64_KiB);
    CHECK(padded_length(64_KiB) == 64_KiB);
    for (std::uint64_t length = 64_KiB + 1; length < 64_MiB; length = length * 5 / 4 + 7) {
        const std::uint64_t padded = padded_length(length);
        CHECK(padded >= length);
        CHECK(padded - length <= length / 16);
        CHECK(padded_length(padded) == padded);
    }
}

TEST_CASE("no byte of a pack can be flipped unseen", "[vault][pack]") {
    Packing packing;
    const BuiltPack built = packing.pack(20'000);
    const std::size_t step = 97;
    for (std::size_t at = 0; at < built.file.size(); at += step) {
        MemoryStore store;
        Buffer bad = built.file;
        bad[at] ^= 0x10;
        REQUIRE(store.put(pack_name(built.id), bad));
        REQUIRE_FALSE(check_pack(store, built.id));
    }
}

TEST_CASE("a pack under another's name, or cut, is refused", "[vault][pack]") {
    Packing packing;
    const BuiltPack a = packing.pack(20'000);
    const BuiltPack b = packing.pack(20'000);
    MemoryStore store;
    REQUIRE(store.put(pack_name(a.id), b.file));
    CHECK(check_pack(store, a.id).error().code == Errc::Corrupt);
    MemoryStore cut;
    REQUIRE(cut.put(pack_name(a.id), View(a.file).first(a.file.size() - 1)));
    CHECK(check_pack(cut, a.id).error().code == Errc::Corrupt);
    CHECK_FALSE(open_directory(cut, a.id, packing.keys));
}

TEST_CASE("a sealed chunk opens at its place, as its kind and under its id alone",
          "[vault][pack]") {
    Packing packing;
    SegmentWriter writer(packing.epoch, Kind::Data, packing.random);
    writer.add(Packing::id(1), 8, Buffer(10, 1));
    writer.add(Packing::id(2), 8, Buffer(10, 2));
    const SegmentName name = writer.directory().name;
    const View first = writer.sealed().first(writer.directory().chunks[0].sealed_bytes);
    ChunkOpener opener(packing.keys);
    REQUIRE(opener.open(name, 0, Packing::id(1), first));
    CHECK_FALSE(opener.open(name, 1, Packing::id(1), first));  // Replayed as another.
    CHECK_FALSE(opener.open(name, 0, Packing::id(2), first));  // Swapped.
    SegmentName retyped = name;
    retyped.kind = Kind::Meta;
    CHECK_FALSE(opener.open(retyped, 0, Packing::id(1), first));
    SegmentName elsewhere = name;
    elsewhere.domain = packing.random.id<DomainId>();
    CHECK_FALSE(opener.open(elsewhere, 0, Packing::id(1), first));
    SegmentName other_salt = name;
    other_salt.salt[0] ^= 1;
    CHECK_FALSE(opener.open(other_salt, 0, Packing::id(1), first));
}

TEST_CASE("a segment that lost chunks opens the others under their numbers", "[vault][pack]") {
    Packing packing;
    SegmentWriter writer(packing.epoch, Kind::Data, packing.random);
    for (std::uint8_t n = 0; n < 5; ++n) writer.add(Packing::id(n), 8, Buffer(10, n));
    SealedSegment whole = std::move(writer).take();
    // Of 0 to 4 only 1 and 4 stay.
    SealedSegment part{{whole.directory.name, {}}, {}};
    const auto& chunks = whole.directory.chunks;
    part.directory.chunks = {DirectoryChunk::gap(1), chunks[1], DirectoryChunk::gap(2), chunks[4]};
    for (const std::size_t n : {1U, 4U}) {
        const View sealed =
            View(whole.sealed).subspan(n * chunks[0].sealed_bytes, chunks[n].sealed_bytes);
        part.sealed.insert(part.sealed.end(), sealed.begin(), sealed.end());
    }
    std::vector<SealedSegment> segments;
    segments.push_back(std::move(part));
    const BuiltPack built = build_pack(std::move(segments), packing.epoch, packing.random);
    MemoryStore store;
    REQUIRE(store.put(pack_name(built.id), built.file));
    const auto directory = open_directory(store, built.id, packing.keys);
    REQUIRE(directory);
    ChunkOpener opener(packing.keys);
    std::uint64_t number = 0;
    std::uint64_t at = pack_header_bytes;
    std::vector<std::uint64_t> opened;
    for (const DirectoryChunk& chunk : directory->segments.at(0).chunks) {
        if (!chunk.is_gap()) {
            const auto coded = opener.open(directory->segments[0].name, number, chunk.id,
                                           View(built.file).subspan(at, chunk.sealed_bytes));
            REQUIRE(coded);
            CHECK(*coded == Buffer(10, static_cast<std::uint8_t>(number)));
            opened.push_back(number);
        }
        number += chunk.numbers();
        at += chunk.sealed_bytes;
    }
    CHECK(opened == std::vector<std::uint64_t>{1, 4});
}

TEST_CASE("a gap of nothing, of too much, or with an id is refused", "[vault][pack]") {
    const auto parsed = [](const DirectoryChunk& gap) {
        Directory directory;
        directory.segments.push_back({{}, {gap}});
        directory.segments[0].name.cipher = Cipher::Aes256Gcm;
        directory.padding_bytes =
            pack_bytes_min - pack_header_bytes - pack_trailer_bytes - directory_bytes(0);
        return bool(parse_directory(encode_directory(directory), pack_bytes_min));
    };
    CHECK(parsed(DirectoryChunk::gap(1)));
    CHECK(parsed(DirectoryChunk::gap(1 << 30)));
    CHECK_FALSE(parsed(DirectoryChunk::gap(0)));
    CHECK_FALSE(parsed(DirectoryChunk::gap((1 << 30) + 1)));
    CHECK_FALSE(parsed({Packing::id(1), 0, 1}));
}

TEST_CASE("without its content key a pack still tells its structure", "[vault][pack]") {
    Packing packing;
    const BuiltPack built = packing.pack(20'000);
    MemoryStore store;
    REQUIRE(store.put(pack_name(built.id), built.file));
    KeyRing map_only;
    Epoch epoch;
    epoch.id = packing.epoch.id;
    epoch.domain = packing.epoch.domain;
    epoch.map = packing.epoch.map.clone();
    map_only.add(epoch);
    const auto directory = open_directory(store, built.id, map_only);
    REQUIRE(directory);
    ChunkOpener opener(map_only);
    const DirectorySegment& data = directory->segments[0];
    const View sealed = View(built.file).subspan(pack_header_bytes, data.chunks[0].sealed_bytes);
    CHECK(opener.open(data.name, 0, data.chunks[0].id, sealed).error().code == Errc::Locked);
}
