// Difference: what changed from one tree to another.
//
// Snapshots share the leaves of metadata in which nothing changed; those are told by their names
// and not read. So a comparison costs what the change cost, plus 100 bytes a leaf.
#pragma once

#include "agent/browse/snapshot_trees.h"

#include <functional>
#include <string>

namespace holdfast::agent {

enum class Change : char {
    Added = '+',
    Removed = '-',
    Content = 'M',     // Other bytes; maybe other attributes too.
    Type = 'T',        // A file became a folder, or the like.
    Attributes = 'U',  // Owner, mode, times, target, extended attributes: the bytes are the same.
};

/// `before` is null for what was added, `after` for what was removed.
using VisitChange =
    std::function<Result<void>(Change, const vault::Entry* before, const vault::Entry* after)>;

struct TreeSide {
    const vault::TreeReader* tree;
    vault::ChunkReader* chunks;  // For content; on the same thread.
};

/// Visits what differs, in path order. Change times and inodes do not count. A link whose
/// file has its content at another path is judged by what was found there, else by size and time.
/// Errors: those of TreeReader::leaf() and ChunkReader::read(), visit's own.
Result<void> compare_trees(const TreeSide& before, const TreeSide& after, const VisitChange& visit);

/// The same with the path as people write it, below the source's name where there are several.
using VisitSnapshotChange = std::function<Result<void>(
    Change, const std::string& path, const vault::Entry* before, const vault::Entry* after)>;

/// All sources of two snapshots, paired by name; the lone sources of both are a pair whatever their
/// names. A source that only one has is added or removed, path by path. Errors: as compare_trees().
Result<void> compare_snapshots(const SnapshotTrees& before, const SnapshotTrees& after,
                               const VisitSnapshotChange& visit);

}  // namespace holdfast::agent
