// A vault in memory for tests of snapshots: store, index, one epoch, its keys.
#pragma once

#include "vault/keys/key_ring.h"
#include "vault/snapshot/snapshot_writer.h"
#include "vault/snapshot/tree_reader.h"
#include "vault/store/memory_store.h"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

namespace holdfast::vault {

struct SnapshotFixture {
    SnapshotFixture() {
        Random& random = system_random();
        const BoxKey opening = BoxKey::make(random);
        epoch = make_epoch(random.id<DomainId>(), opening.public_key, {}, 1, random).epoch;
        keys.add(epoch);
        auto opened = ChunkIndex::open(":memory:");
        REQUIRE(opened);
        index = std::move(*opened);
    }

    SnapshotContext context(unsigned workers = 2) {
        return {store, *index, keys, naming, epoch, system_random(), workers};
    }
    std::unique_ptr<ChunkReader> reader() {
        return std::make_unique<ChunkReader>(store, *index, keys);
    }

    MemoryStore store;
    Epoch epoch;
    KeyRing keys;
    Naming naming{Secret::random(32)};
    std::unique_ptr<ChunkIndex> index;
};

inline Buffer random_bytes(std::size_t size) {
    Buffer out(size);
    system_random().fill(out);
    return out;
}

inline Entry regular(const std::string& path, std::uint64_t size) {
    Entry entry;
    entry.path = path;
    entry.size = size;
    entry.mode = 0644;
    return entry;
}

inline Entry folder(const std::string& path) {
    Entry entry;
    entry.path = path;
    entry.type = FileType::Directory;
    entry.mode = 0755;
    return entry;
}

/// What `extents` say, read back.
inline Buffer content_of(ChunkReader& chunks, const Extents& extents) {
    Buffer out;
    for (const Extent& extent : extents) {
        if (extent.hole()) {
            out.resize(out.size() + extent.length);
            continue;
        }
        const auto chunk = chunks.read(extent.chunk);
        REQUIRE(chunk);
        REQUIRE(extent.skip + extent.length <= (*chunk)->size());
        const View part = View(**chunk).subspan(extent.skip, extent.length);
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

}  // namespace holdfast::vault
