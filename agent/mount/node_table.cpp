#include "agent/mount/node_table.h"

#include "vault/snapshot/type_bits.h"

#include <sys/stat.h>

#include <utility>

namespace holdfast::agent {
namespace {

void describe(Node& node, std::uint64_t ordinal, const vault::Entry& entry) {
    node.ordinal = entry.type == vault::FileType::Regular ? ordinal : no_ordinal;
    node.mode = vault::type_bits(entry.type) | (entry.mode & 07777);
    node.uid = entry.uid;
    node.gid = entry.gid;
    node.mtime_ns = node.atime_ns = entry.mtime_ns;
    node.ctime_ns = entry.ctime_ns;
    node.device = entry.device;
    if (node.is_regular()) node.size = node.lower_size = entry.size;
    if (!entry.link_target.empty()) {
        node.size = entry.link_target.size();
        node.with_extras().link_target = entry.link_target;
    }
    for (const auto& [name, value] : entry.xattrs) node.with_extras().xattrs[name] = value;
}

void touch(Node& node, std::int64_t time_ns) {
    node.mtime_ns = node.ctime_ns = time_ns;
    node.changed = true;
}

}  // namespace

bool Node::is_regular() const {
    return S_ISREG(mode);
}

Extras& Node::with_extras() {
    if (!extras) {
        extras = std::make_unique<Extras>();
        extras->content.journaled_size = size;
    }
    return *extras;
}

Result<NodeTable> NodeTable::load(const Tree& lower) {
    NodeTable table;
    table.make_root();
    std::unordered_map<std::uint64_t, NodeId> hard_links;
    HF_TRY(lower.walk([&](std::uint64_t ordinal, const vault::Entry& entry) {
        return table.add_entry(ordinal, entry, hard_links);
    }));
    table.snapshot_.shrink_to_fit();
    table.last_folder_.clear();
    return table;
}

void NodeTable::make_root() {
    Node root;
    root.mode = S_IFDIR | 0755;
    root.links = 2;
    root.folder = std::make_unique<Folder>();
    snapshot_.push_back(std::move(root));
}

Result<void> NodeTable::add_entry(std::uint64_t ordinal, const vault::Entry& entry,
                                  std::unordered_map<std::uint64_t, NodeId>& hard_links) {
    if (entry.path.empty()) {
        describe(snapshot_[0], ordinal, entry);
        return {};
    }
    const std::size_t slash = entry.path.rfind('/');
    const NodeId parent =
        HF_TRY(folder_of(slash == std::string::npos ? "" : entry.path.substr(0, slash)));
    NodeId id = next_node_;
    if (entry.hard_link != 0) id = hard_links.try_emplace(entry.hard_link, id).first->second;
    std::string name = entry.path.substr(slash == std::string::npos ? 0 : slash + 1);
    if (!snapshot_[parent - 1].folder->names.emplace(std::move(name), id).second) {
        return Error{Errc::Corrupt, "the snapshot names " + entry.path + " twice"};
    }
    if (id == next_node_) {
        Node& node = snapshot_.emplace_back();
        describe(node, ordinal, entry);
        if (entry.type == vault::FileType::Directory) {
            node.folder = std::make_unique<Folder>();
            node.folder->parent = parent;
            node.links = 1;
            ++snapshot_[parent - 1].links;
        }
        ++next_node_;
    }
    ++snapshot_[id - 1].links;
    return {};
}

Result<NodeId> NodeTable::folder_of(const std::string& path) {
    if (path == last_folder_) return last_folder_node_;
    NodeId id = root_node;
    for (std::size_t at = 0; !path.empty() && at <= path.size();) {
        const std::size_t slash = std::min(path.find('/', at), path.size());
        const Folder* folder = snapshot_[id - 1].folder.get();
        const auto found = folder ? folder->names.find(path.substr(at, slash - at))
                                  : decltype(folder->names.end()){};
        if (!folder || found == folder->names.end() || !snapshot_[found->second - 1].folder) {
            return Error{Errc::Corrupt,
                         "the snapshot has entries in " + path + " before or without that folder"};
        }
        id = found->second;
        at = slash + 1;
    }
    last_folder_ = path;
    last_folder_node_ = id;
    return id;
}

Node* NodeTable::find(NodeId id) {
    if (id >= 1 && id <= snapshot_.size()) {
        Node& node = snapshot_[id - 1];
        return node.links == 0 && node.lookups == 0 ? nullptr : &node;
    }
    const auto found = added_.find(id);
    return found == added_.end() ? nullptr : &found->second;
}

Node* NodeTable::folder_node(NodeId id) {
    Node* node = find(id);
    return node != nullptr && node->is_folder() ? node : nullptr;
}

void NodeTable::erase(NodeId id) {
    if (id > snapshot_.size()) {
        added_.erase(id);
        return;
    }
    Node gone;
    gone.changed = true;
    snapshot_[id - 1] = std::move(gone);
}

Result<void> NodeTable::apply(const Change& change) {
    if (std::visit([this](const auto& c) { return put(c); }, change)) return {};
    return Error{Errc::Corrupt, "a change of kind " + std::to_string(change.index()) +
                                    " that does not fit what came before it"};
}

bool NodeTable::put(const NodeMade& c) {
    Node* parent = folder_node(c.parent);
    if (parent == nullptr || find(c.node) != nullptr || c.node <= snapshot_.size()) return false;
    if (!parent->folder->names.emplace(c.name, c.node).second) return false;
    Node node;
    node.mode = c.mode;
    node.uid = c.uid;
    node.gid = c.gid;
    node.device = c.device;
    node.links = 1;
    node.atime_ns = c.time_ns;
    touch(node, c.time_ns);
    if (S_ISDIR(c.mode)) {
        node.folder = std::make_unique<Folder>();
        node.folder->parent = c.parent;
        node.links = 2;
        node.names_changed = true;
        ++parent->links;
    }
    if (S_ISLNK(c.mode)) {
        node.size = c.link_target.size();
        node.with_extras().link_target = c.link_target;
    }
    added_.emplace(c.node, std::move(node));
    next_node_ = std::max(next_node_, c.node + 1);
    touch(*parent, c.time_ns);
    parent->names_changed = true;
    return true;
}

bool NodeTable::put(const NameAdded& c) {
    Node* parent = folder_node(c.parent);
    Node* node = find(c.node);
    if (parent == nullptr || node == nullptr || node->is_folder()) return false;
    if (!parent->folder->names.emplace(c.name, c.node).second) return false;
    ++node->links;
    node->ctime_ns = c.time_ns;
    node->changed = true;
    touch(*parent, c.time_ns);
    parent->names_changed = true;
    return true;
}

bool NodeTable::put(const NameRemoved& c) {
    Node* parent = folder_node(c.parent);
    if (parent == nullptr || !parent->folder->names.contains(c.name)) return false;
    remove_name(c.parent, c.name, c.time_ns);
    return true;
}

void NodeTable::remove_name(NodeId parent_id, std::string_view name, std::int64_t time_ns) {
    Node& parent = *find(parent_id);
    const auto entry = parent.folder->names.find(name);
    Node* node = find(entry->second);
    HF_ASSERT(node != nullptr);
    if (node->is_folder()) {
        node->links = 0;
        --parent.links;
    } else {
        --node->links;
    }
    node->ctime_ns = time_ns;
    node->changed = true;
    parent.folder->names.erase(entry);
    touch(parent, time_ns);
    parent.names_changed = true;
}

bool NodeTable::put(const Renamed& c) {
    Node* from = folder_node(c.parent);
    Node* to = folder_node(c.new_parent);
    if (from == nullptr || to == nullptr) return false;
    const auto source = from->folder->names.find(c.name);
    if (source == from->folder->names.end()) return false;
    const NodeId moved_id = source->second;
    const auto target = to->folder->names.find(c.new_name);
    const bool occupied = target != to->folder->names.end();
    if (c.exchange && !occupied) return false;

    const auto settle = [&](NodeId id, NodeId old_parent, NodeId new_parent) {
        Node& node = *find(id);
        node.ctime_ns = c.time_ns;
        node.changed = true;
        if (!node.is_folder() || old_parent == new_parent) return;
        --find(old_parent)->links;
        ++find(new_parent)->links;
        node.folder->parent = new_parent;
        node.names_changed = true;
    };
    if (c.exchange) {
        std::swap(source->second, target->second);
        settle(from->folder->names.at(c.name), c.new_parent, c.parent);
    } else {
        if (occupied) remove_name(c.new_parent, c.new_name, c.time_ns);
        from->folder->names.erase(from->folder->names.find(c.name));
        to->folder->names.emplace(c.new_name, moved_id);
    }
    settle(moved_id, c.parent, c.new_parent);
    for (Node* parent : {from, to}) {
        touch(*parent, c.time_ns);
        parent->names_changed = true;
    }
    return true;
}

bool NodeTable::put(const AttributesSet& c) {
    Node* node = find(c.node);
    if (node == nullptr) return false;
    node->mode = (node->mode & S_IFMT) | (c.mode & 07777);
    node->uid = c.uid;
    node->gid = c.gid;
    node->atime_ns = c.atime_ns;
    node->mtime_ns = c.mtime_ns;
    node->ctime_ns = c.ctime_ns;
    node->changed = true;
    return true;
}

bool NodeTable::put(const Resized& c) {
    Node* node = find(c.node);
    if (node == nullptr || !node->is_regular() || c.size > file_bytes_max) return false;
    if (Content* content = node->content()) {
        if (c.size < node->size) {
            const std::uint64_t kept_blocks = (c.size + block_bytes - 1) / block_bytes;
            content->dirty.erase_from(kept_blocks);
            cut_runs(content->pending, kept_blocks);
            cut_runs(content->syncing, kept_blocks);
            content->syncing_size = std::min(content->syncing_size, c.size);
            ++content->cuts;
        }
        content->journaled_size = c.size;
    }
    node->lower_size = std::min(node->lower_size, c.size);
    node->size = c.size;
    touch(*node, c.time_ns);
    return true;
}

bool NodeTable::put(const XattrSet& c) {
    Node* node = find(c.node);
    if (node == nullptr) return false;
    node->with_extras().xattrs[c.name] = c.value;
    node->ctime_ns = c.time_ns;
    node->changed = true;
    return true;
}

bool NodeTable::put(const XattrRemoved& c) {
    Node* node = find(c.node);
    if (node == nullptr || !node->extras || node->extras->xattrs.erase(c.name) == 0) return false;
    node->ctime_ns = c.time_ns;
    node->changed = true;
    return true;
}

bool NodeTable::put(const Wrote& c) {
    Node* node = find(c.node);
    if (node == nullptr || !node->is_regular() || c.size > file_bytes_max) return false;
    Content& content = node->with_extras().content;
    for (const BlockRun& run : c.blocks) {
        constexpr std::uint64_t blocks_max = file_bytes_max / block_bytes;
        if (run.first > blocks_max || run.count > blocks_max - run.first) return false;
        std::vector<BlockRun> fresh;
        content.dirty.insert(run, fresh);
    }
    node->size = std::max(node->size, c.size);
    content.journaled_size = node->size;
    node->mtime_ns = c.mtime_ns;
    node->ctime_ns = c.ctime_ns;
    node->changed = true;
    return true;
}

bool NodeTable::put(const NodeState& c) {
    const bool of_snapshot = c.node >= 1 && c.node <= snapshot_.size();
    Node& node = of_snapshot ? snapshot_[c.node - 1] : added_[c.node];
    node.mode = c.mode;
    node.uid = c.uid;
    node.gid = c.gid;
    node.device = c.device;
    node.links = c.links;
    node.size = c.size;
    node.lower_size = std::min(c.lower_size, node.lower_size);
    node.atime_ns = c.atime_ns;
    node.mtime_ns = c.mtime_ns;
    node.ctime_ns = c.ctime_ns;
    node.changed = true;
    next_node_ = std::max(next_node_, c.node + 1);
    if (S_ISDIR(c.mode) && !node.folder) node.folder = std::make_unique<Folder>();
    if (c.link_target.empty() && c.xattrs.empty() && c.blocks.empty() && !node.extras) return true;
    node.with_extras().link_target = c.link_target;
    node.extras->xattrs = c.xattrs;
    node.extras->content.journaled_size = c.size;
    if (c.blocks.empty()) return true;
    return put(Wrote{c.node, c.size, c.mtime_ns, c.ctime_ns, c.blocks});
}

bool NodeTable::put(const FolderState& c) {
    Node* node = folder_node(c.node);
    if (node == nullptr) return false;
    node->folder->parent = c.parent;
    node->folder->names.clear();
    for (const auto& [name, id] : c.names) {
        if (find(id) == nullptr) return false;
        node->folder->names.emplace(name, id);
    }
    node->names_changed = true;
    return true;
}

std::vector<Buffer> NodeTable::changes_since_snapshot() const {
    std::vector<Buffer> out;
    for (NodeId id = 1; id <= snapshot_.size(); ++id) {
        if (snapshot_[id - 1].changed) dump(id, snapshot_[id - 1], out);
    }
    for (const auto& [id, node] : added_) {
        if (node.links > 0) dump(id, node, out);
    }
    const auto dump_names = [&](NodeId id, const Node& node) {
        if (node.links == 0 || !node.names_changed) return;
        const Folder& folder = *node.folder;
        out.push_back(encode_change(
            FolderState{id, folder.parent, {folder.names.begin(), folder.names.end()}}));
    };
    for (NodeId id = 1; id <= snapshot_.size(); ++id) dump_names(id, snapshot_[id - 1]);
    for (const auto& [id, node] : added_) dump_names(id, node);
    return out;
}

void NodeTable::dump(NodeId id, const Node& node, std::vector<Buffer>& out) const {
    NodeState state;
    state.node = id;
    if (node.links > 0) {
        state.mode = node.mode;
        state.uid = node.uid;
        state.gid = node.gid;
        state.device = node.device;
        state.links = node.links;
        state.size = node.size;
        state.lower_size = node.lower_size;
        state.atime_ns = node.atime_ns;
        state.mtime_ns = node.mtime_ns;
        state.ctime_ns = node.ctime_ns;
    }
    if (node.links > 0 && node.extras) {
        state.link_target = node.extras->link_target;
        state.xattrs = node.extras->xattrs;
        const Content& content = node.extras->content;
        if (node.is_regular()) state.size = content.journaled_size;
        BlockSet journaled = content.dirty;
        for (const auto* runs : {&content.pending, &content.syncing}) {
            for (const BlockRun& run : *runs) journaled.erase(run);
        }
        state.blocks = journaled.runs();
    }
    out.push_back(encode_change(state));
}

}  // namespace holdfast::agent
