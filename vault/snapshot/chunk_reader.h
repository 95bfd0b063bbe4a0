// Chunk reader: content by chunk id. Looks up, reads, opens and decodes; keeps the last few.
//
// Belongs to one thread; several readers may share the store, the index and the keys.
#pragma once

#include "vault/chunk/codec.h"
#include "vault/index/chunk_index.h"
#include "vault/pack/pack_reader.h"

#include <list>
#include <memory>
#include <unordered_map>

namespace holdfast::vault {

class ChunkReader {
public:
    /// All outlive the reader. It keeps up to `cache_bytes` of decoded chunks.
    ChunkReader(const Store& store, ChunkIndex& index, const KeySource& keys,
                std::size_t cache_bytes = 16_MiB)
        : store_(&store), index_(&index), opener_(keys), cache_bytes_(cache_bytes) {}

    /// From whichever of its places it can be read. Errors: NotFound (in no pack known here),
    /// Corrupt, Locked, Io, Unreachable; of several places, that of the first.
    Result<std::shared_ptr<const Buffer>> read(const ChunkId& id);

    /// The chunk at `place`, past the index and the cache. Errors: as read().
    Result<Buffer> read_at(const ChunkId& id, const ChunkPlace& place);

private:
    Result<Buffer> read_anywhere(const ChunkId& id);

    using Cached = std::pair<ChunkId, std::shared_ptr<const Buffer>>;

    const Store* store_;
    ChunkIndex* index_;
    ChunkOpener opener_;
    Decoder decoder_;
    std::size_t cache_bytes_;
    std::size_t cached_ = 0;
    std::list<Cached> recent_;  // Newest first; shared with callers that still copy from one.
    std::unordered_map<ChunkId, std::list<Cached>::iterator, IdHash<ChunkTag>> by_id_;
};

}  // namespace holdfast::vault
