// Tree reader: one source of a snapshot, leaf by leaf.
//
// Only the tables stay in memory (about 100 bytes for 500 files); a leaf is read when it is asked
// for. Belongs to one thread, as its ChunkReader does.
#pragma once

#include "vault/snapshot/chunk_reader.h"
#include "vault/snapshot/leaf.h"
#include "vault/snapshot/tree_writer.h"

#include <functional>
#include <optional>

namespace holdfast::vault {

class TreeReader {
public:
    /// Reads the tables. `chunks` outlives the reader. Errors: those of ChunkReader::read().
    static Result<TreeReader> open(const SourceTree& tree, ChunkReader& chunks);

    std::size_t leaves() const { return leaves_.size(); }
    const LeafInfo& info(std::size_t leaf) const { return leaves_[leaf]; }
    Result<std::vector<Item>> leaf(std::size_t number) const;
    /// The last leaf that begins at or before `path`, which holds it if any does; none if `path` is
    /// before all.
    std::optional<std::size_t> leaf_of(std::string_view path) const;

    /// Every item in path order, with its ordinal. Errors: as read(), or visit's own.
    Result<void> walk(
        const std::function<Result<void>(std::uint64_t ordinal, const Item&)>& visit) const;

    /// Errors: NotFound, or as read().
    Result<Item> find(std::string_view path) const;

    /// All extents of an item, whose parts are read if it has any; checked to cover its size.
    Result<Extents> extents(const Item& item) const;

private:
    TreeReader(std::vector<LeafInfo> leaves, ChunkReader& chunks)
        : leaves_(std::move(leaves)), chunks_(&chunks) {}

    std::vector<LeafInfo> leaves_;
    ChunkReader* chunks_;
};

/// Finds rising paths in a source, reading each leaf once: how a snapshot compares with the one
/// before.
class TreeCursor {
public:
    explicit TreeCursor(const TreeReader& tree) : tree_(&tree) {}

    /// The item at `path`, if there is one; paths must rise from call to call. Valid until the
    /// next.
    Result<const Item*> find(std::string_view path);

private:
    const TreeReader* tree_;
    std::size_t next_leaf_ = 0;
    std::vector<Item> items_;
    std::size_t at_ = 0;
};

}  // namespace holdfast::vault
