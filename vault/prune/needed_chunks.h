// Needed chunks: what live snapshots refer to, gathered without an opening key.
//
// Chunk ids are uniformly random, so eight bytes of each are kept: a million chunks take 8 MB, and
// two that look alike only keep what nobody needs. Names of metadata leaves are sealed by content
// keys; where those are not here, every metadata chunk on a snapshot's list counts as needed.
#pragma once

#include "vault/vault_reader.h"

#include <cstdint>
#include <set>
#include <unordered_set>
#include <vector>

namespace holdfast::vault {

class NeededChunks {
public:
    explicit NeededChunks(VaultReader& reader) : reader_(&reader) {}

    /// Adds what a snapshot needs, its index chunks apart: they are copies. Leaves that snapshots
    /// share are read once. Errors: those of VaultReader::map_part(), Corrupt.
    Result<void> add(const SnapshotRecord& record);

    bool has(const ChunkId& chunk, Kind kind, const PackId& pack) const;
    /// Call when all are added, before has().
    void settle();

private:
    void add(const ChunkId& chunk);
    Result<void> add_refs_leaves(const ChunkId& table, ChunkReader& chunks);
    Result<void> add_refs_leaf(const ChunkId& leaf, ChunkReader& chunks);
    /// Errors: Locked.
    Result<void> add_meta_leaves(const SourceTree& tree, ChunkReader& chunks);

    VaultReader* reader_;
    std::vector<std::uint64_t> chunks_;  // Sorted by settle(), and when it has doubled.
    std::size_t settled_ = 0;
    std::unordered_set<ChunkId, IdHash<ChunkTag>> leaves_;  // Refs leaves that were read.
    std::set<PackId> meta_packs_;                           // All metadata in these is needed.
};

}  // namespace holdfast::vault
