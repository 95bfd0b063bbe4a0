// Tree writer: entries in path order become leaves, and leaves tables.
//
// A leaf ends where the hash of a path says so, so one changed file changes one leaf, and the
// leaves of two snapshots meet again behind it. Tables end in the same way.
#pragma once

#include "vault/snapshot/chunk_storer.h"
#include "vault/snapshot/leaf.h"
#include "vault/snapshot/pack_needs.h"

namespace holdfast::vault {

/// A source's metadata, as the manifest names it.
struct SourceTree {
    std::vector<ChunkId> meta_tables;
    std::vector<ChunkId> refs_tables;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

class TreeWriter {
public:
    /// Both outlive the writer.
    TreeWriter(ChunkStorer& storer, PackNeeds& needs) : storer_(&storer), needs_(&needs) {}

    /// The next entry with its content's extents (none for other than regular files, and for all
    /// but the first of hard links). Errors: Invalid (out of order), those of ChunkStorer::store().
    Result<void> add(const Entry& entry, Extents extents);

    /// True before the first entry and right behind a leaf.
    bool between_leaves() const { return leaf_.entries == 0; }
    /// Takes over a leaf of an older tree of the same domain, whose packs are needed already; only
    /// between_leaves(). Errors: as add().
    Result<void> adopt(LeafInfo leaf);

    /// Errors: as add().
    Result<SourceTree> finish();

private:
    Result<ContentParts> in_parts(Extents extents);
    Result<void> check_order(const std::string& path) const;
    Result<void> end_leaf();
    Result<void> list_leaf(LeafInfo leaf);
    Result<void> end_table();

    ChunkStorer* storer_;
    PackNeeds* needs_;
    Buffer meta_;
    Buffer refs_;
    LeafInfo leaf_;
    std::string last_path_;
    std::vector<LeafInfo> table_;
    std::size_t table_bytes_ = 0;
    SourceTree tree_;
};

}  // namespace holdfast::vault
