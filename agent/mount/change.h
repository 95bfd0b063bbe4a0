// Change: one step from the snapshot to what the mount shows now, as the journal keeps it.
//
// NodeTable applies a Change both when a program makes it and when a journal is read again, so
// that what comes back after a crash is what was. A Change is whole: it carries the time and the
// node number that were chosen when it was made.
//
// On disk a change is its kind (one byte), then its members in the order they stand here: numbers
// as varints (times zig-zag), texts and values with a varint length, lists with a varint count.
#pragma once

#include "agent/mount/block_set.h"
#include "vault/base/bytes.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::agent {

/// A node of the mounted tree: 1 is the root; then the snapshot's in path order; then new ones.
/// The same in every mount of one overlay, and never used twice within one mount.
using NodeId = std::uint64_t;
constexpr NodeId root_node = 1;

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t link_target_bytes_max = 4095;

using Xattrs = std::map<std::string, Buffer, std::less<>>;

struct NodeMade {
    NodeId node = 0;
    NodeId parent = 0;
    std::string name;
    std::uint32_t mode = 0;  // With the type's bits, as in st_mode.
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t device = 0;
    std::string link_target;
    std::int64_t time_ns = 0;
};

struct NameAdded {  // A further hard link.
    NodeId node = 0;
    NodeId parent = 0;
    std::string name;
    std::int64_t time_ns = 0;
};

struct NameRemoved {
    NodeId parent = 0;
    std::string name;
    std::int64_t time_ns = 0;
};

struct Renamed {  // What stood at the new name loses it, or takes the old one if `exchange`.
    NodeId parent = 0;
    std::string name;
    NodeId new_parent = 0;
    std::string new_name;
    bool exchange = false;
    std::int64_t time_ns = 0;
};

struct AttributesSet {
    NodeId node = 0;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t atime_ns = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
};

struct Resized {
    NodeId node = 0;
    std::uint64_t size = 0;
    std::int64_t time_ns = 0;
};

struct XattrSet {
    NodeId node = 0;
    std::string name;
    Buffer value;
    std::int64_t time_ns = 0;
};

struct XattrRemoved {
    NodeId node = 0;
    std::string name;
    std::int64_t time_ns = 0;
};

struct Wrote {  // Journaled only after the blocks themselves are on disk.
    NodeId node = 0;
    std::uint64_t size = 0;  // The file is at least this long.
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::vector<BlockRun> blocks;  // From now on read from the overlay.
};

/// The two kinds below stand in compacted journals, instead of the changes that led to them.
struct NodeState {
    NodeId node = 0;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t device = 0;
    std::uint32_t links = 0;  // 0: a node of the snapshot that is gone.
    std::uint64_t size = 0;
    std::uint64_t lower_size = 0;
    std::int64_t atime_ns = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::string link_target;
    Xattrs xattrs;
    std::vector<BlockRun> blocks;
};

struct FolderState {
    NodeId node = 0;
    NodeId parent = 0;
    std::vector<std::pair<std::string, NodeId>> names;
};

using Change = std::variant<NodeMade, NameAdded, NameRemoved, Renamed, AttributesSet, Resized,
                            XattrSet, XattrRemoved, Wrote, NodeState, FolderState>;

Buffer encode_change(const Change& change);

/// Errors: Corrupt (no change, or more than one).
Result<Change> decode_change(View bytes);

}  // namespace holdfast::agent
