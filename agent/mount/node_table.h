// NodeTable: the tree as the mount shows it, in memory: the snapshot with all changes applied.
//
// Loaded from the snapshot in path order, so that nodes get the same numbers every time; then
// changed by apply() alone, by the journal's old changes first and by programs' new ones after.
// Plain data: the owner locks.
#pragma once

#include "agent/mount/change.h"
#include "agent/mount/tree.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::agent {

constexpr std::uint64_t no_ordinal = UINT64_MAX;
constexpr std::uint64_t file_bytes_max = 16ULL << 40;  // What ext4, under the overlay, can hold.

struct Folder {
    NodeId parent = root_node;
    std::map<std::string, NodeId, std::less<>> names;
};

/// The overlay's part of one regular file.
struct Content {
    BlockSet dirty;                 // Blocks whose content is in the overlay.
    std::vector<BlockRun> pending;  // Those of them that no journaled change names yet,
    std::vector<BlockRun> syncing;  // and those that a sync is bringing to disk just now.
    std::uint64_t syncing_size = 0;
    std::uint64_t journaled_size = 0;  // The file's size as the journal tells it.
    std::uint64_t cut_position = 0;    // Journal position of the last truncation that cut off
                                       // overlay content: that stays until the position is durable.
    std::uint64_t cuts = 0;            // How often the file was truncated.
    bool unsynced = false;             // Written to since its last fdatasync.
    bool has_file = false;             // There is a data file,
    bool file_is_new = false;          // whose name may not be on disk yet.
    bool failed = false;               // A sync of its data failed: no later one can be believed.
};

struct Extras {  // What few nodes have.
    std::string link_target;
    Xattrs xattrs;
    Content content;
};

struct Node {
    std::uint64_t ordinal = no_ordinal;  // Of its content in the snapshot.
    std::uint64_t size = 0;
    std::uint64_t lower_size = 0;  // The snapshot's bytes from here on are no longer seen.
    std::uint64_t device = 0;
    std::int64_t atime_ns = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::uint64_t position = 0;  // In the journal, of its last change.
    std::uint32_t mode = 0;      // As st_mode.
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t links = 0;
    std::uint64_t lookups = 0;    // References that the kernel holds.
    bool changed = false;         // Differs from the snapshot, or is new,
    bool names_changed = false;   // and so do the names in it.
    bool times_unsynced = false;  // Size or times moved by writes since the last Wrote.
    std::unique_ptr<Folder> folder;
    std::unique_ptr<Extras> extras;

    bool is_folder() const { return folder != nullptr; }
    bool is_regular() const;
    Content* content() { return extras ? &extras->content : nullptr; }
    Extras& with_extras();
};

class NodeTable {
public:
    /// Errors: Corrupt (paths out of order or without their folder), or those of `lower`.
    static Result<NodeTable> load(const Tree& lower);

    Node* find(NodeId id);

    /// Errors: Corrupt (the change does not fit the tree; a live change must fit).
    Result<void> apply(const Change& change);

    /// Changes that make the present tree out of the snapshot's, without pending blocks.
    std::vector<Buffer> changes_since_snapshot() const;

    NodeId next_node() const { return next_node_; }
    std::uint64_t node_count() const { return snapshot_.size() + added_.size(); }

    /// Forgets a node that has neither name nor reference.
    void erase(NodeId id);

    /// Calls `visit(id, node)` for every node that was changed or made.
    template <class Visit>
    void for_each_changed(Visit visit) {
        for (NodeId id = 1; id <= snapshot_.size(); ++id) {
            if (Node& node = snapshot_[id - 1]; node.changed) visit(id, node);
        }
        for (auto& [id, node] : added_) visit(id, node);
    }

private:
    Result<void> add_entry(std::uint64_t ordinal, const vault::Entry& entry,
                           std::unordered_map<std::uint64_t, NodeId>& hard_links);
    Result<NodeId> folder_of(const std::string& path);
    void make_root();
    Node* folder_node(NodeId id);
    void remove_name(NodeId parent, std::string_view name, std::int64_t time_ns);
    void dump(NodeId id, const Node& node, std::vector<Buffer>& out) const;

    bool put(const NodeMade& c);
    bool put(const NameAdded& c);
    bool put(const NameRemoved& c);
    bool put(const Renamed& c);
    bool put(const AttributesSet& c);
    bool put(const Resized& c);
    bool put(const XattrSet& c);
    bool put(const XattrRemoved& c);
    bool put(const Wrote& c);
    bool put(const NodeState& c);
    bool put(const FolderState& c);

    std::vector<Node> snapshot_;  // Node n is at n - 1.
    std::unordered_map<NodeId, Node> added_;
    NodeId next_node_ = root_node + 1;
    std::string last_folder_;  // While loading: the folder that most next entries are in.
    NodeId last_folder_node_ = root_node;
};

}  // namespace holdfast::agent
