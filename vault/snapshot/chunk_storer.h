// Chunk storer: names a chunk, asks whether it is there, codes, seals, and packs it.
//
// A PackSink is shared by a snapshot's threads and puts finished packs into the store and the
// index. A ChunkStorer belongs to one thread and owns a compressor and the segments it is filling.
#pragma once

#include "vault/chunk/codec.h"
#include "vault/index/chunk_index.h"
#include "vault/pack/pack_writer.h"
#include "vault/snapshot/naming.h"
#include "vault/store/store.h"

#include <map>
#include <mutex>
#include <vector>

namespace holdfast::vault {

class PackSink {
public:
    /// All outlive the sink. `epoch` holds both keys.
    PackSink(Store& store, ChunkIndex& index, const Epoch& epoch, Random& random)
        : store_(&store), index_(&index), epoch_(&epoch), random_(&random) {}

    /// Builds a pack of `segments`, stores it durably and indexes it. Errors: Full, Io,
    /// Unreachable.
    Result<void> store(std::vector<SegmentWriter> segments);

    SegmentWriter new_segment(Kind kind) const { return SegmentWriter(*epoch_, kind, *random_); }
    ChunkIndex& index() const { return *index_; }

    struct NewPack {
        PackId id;
        std::uint64_t bytes = 0;
    };
    /// What was stored since the start. Call when no thread stores.
    const std::vector<NewPack>& new_packs() const { return new_packs_; }

private:
    Store* store_;
    ChunkIndex* index_;
    const Epoch* epoch_;
    Random* random_;
    std::mutex mutex_;
    std::vector<NewPack> new_packs_;
};

class ChunkStorer {
public:
    ChunkStorer(PackSink& sink, const Naming& naming) : sink_(&sink), naming_(&naming) {}

    /// The id of `content`, which is in the vault, or in a segment that this storer will give.
    /// Errors: Full, Io, Unreachable.
    Result<ChunkId> store(Kind kind, View content);

    /// Packs are written as they fill; this gives what is left.
    std::vector<SegmentWriter> take_segments();
    std::uint64_t new_bytes() const { return new_bytes_; }

private:
    Result<void> spill();

    PackSink* sink_;
    const Naming* naming_;
    Encoder encoder_;
    Buffer coded_;
    std::map<Kind, SegmentWriter> segments_;
    std::uint64_t new_bytes_ = 0;
};

/// Stores `segments` in as few packs of about pack_bytes_aim as they fit in. Errors: as store().
Result<void> store_together(PackSink& sink, std::vector<SegmentWriter> segments);

}  // namespace holdfast::vault
