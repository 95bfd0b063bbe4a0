#include "agent/mount/file_system.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::agent {
namespace {

constexpr std::uint32_t links_max = 65000;  // As on ext4.

timespec to_timespec(std::int64_t ns) {
    constexpr std::int64_t second = 1'000'000'000;
    const std::int64_t rest = ((ns % second) + second) % second;
    return {(ns - rest) / second, rest};
}

}  // namespace

FileSystem::FileSystem(const Tree& lower, const Clock& clock, Log log, NodeTable nodes)
    : lower_(lower), clock_(clock), log_(std::move(log)), nodes_(std::move(nodes)) {}

Result<std::unique_ptr<FileSystem>> FileSystem::open(const Tree& lower,
                                                     const MountSettings& settings,
                                                     const Clock& clock) {
    NodeTable nodes = HF_TRY(NodeTable::load(lower));
    std::unique_ptr<FileSystem> out(new FileSystem(lower, clock, settings.log, std::move(nodes)));
    if (!settings.overlay.empty()) HF_TRY(out->attach(settings));
    return out;
}

Result<void> FileSystem::attach(const MountSettings& settings) {
    overlay_ = HF_TRY(Overlay::open(settings.overlay, settings.snapshot_id, settings.compact_bytes,
                                    [this](const Change& change) { return nodes_.apply(change); }));
    std::vector<NodeId> nameless;
    nodes_.for_each_changed([&](NodeId id, const Node& node) {
        if (node.links == 0) nameless.push_back(id);
    });
    for (const NodeId id : nameless) nodes_.erase(id);
    HF_TRY(check_data_files());
    return overlay_->sweep([this](NodeId id) {
        Node* node = nodes_.find(id);
        return node != nullptr && node->content() != nullptr && node->content()->has_file;
    });
}

/// Every block that the journal tells of must be there.
Result<void> FileSystem::check_data_files() {
    Result<void> outcome;
    nodes_.for_each_changed([&](NodeId id, Node& node) {
        Content* content = node.content();
        if (content == nullptr || content->dirty.count() == 0) return;
        content->has_file = true;
        dirty_blocks_ += content->dirty.count();
        const auto file = overlay_->data_file(id, false);
        struct stat info {};
        const bool there = file && ::fstat(file->get(), &info) == 0;
        const auto bytes = static_cast<std::uint64_t>(info.st_size);
        if (there && bytes >= content->dirty.end() * block_bytes) return;
        outcome = Error{Errc::Corrupt, overlay_->folder() + "/data/" + std::to_string(id) +
                                           " is missing or short: the overlay is damaged"};
    });
    return outcome;
}

int FileSystem::refuse_growth() {
    if (!overlay_) return EROFS;
    if (overlay_->journal().tight()) free_space();
    return overlay_->journal().tight() ? ENOSPC : 0;
}

Node* FileSystem::folder(NodeId id) {
    Node* node = nodes_.find(id);
    return node != nullptr && node->is_folder() ? node : nullptr;
}

void FileSystem::commit(const Change& change, std::initializer_list<NodeId> touched) {
    const Result<void> fits = nodes_.apply(change);
    HF_ASSERT(fits);
    const std::uint64_t position = overlay_->journal().append(encode_change(change));
    for (const NodeId id : touched) {
        if (Node* node = nodes_.find(id)) node->position = position;
    }
}

void FileSystem::commit_to(Node& node, const Change& change) {
    const Result<void> fits = nodes_.apply(change);
    HF_ASSERT(fits);
    if (node.links > 0) node.position = overlay_->journal().append(encode_change(change));
}

void FileSystem::describe(NodeId id, const Node& node, struct stat* out) const {
    *out = {};
    out->st_ino = id;
    out->st_mode = node.mode;
    out->st_nlink = node.links;
    out->st_uid = node.uid;
    out->st_gid = node.gid;
    out->st_rdev = node.device;
    out->st_size = static_cast<off_t>(node.size);
    out->st_blksize = static_cast<blksize_t>(block_bytes);
    out->st_blocks = static_cast<blkcnt_t>((node.size + 511) / 512);
    out->st_atim = to_timespec(node.atime_ns);
    out->st_mtim = to_timespec(node.mtime_ns);
    out->st_ctim = to_timespec(node.ctime_ns);
}

void FileSystem::drop_if_unused(NodeId id) {
    Node* node = nodes_.find(id);
    if (node == nullptr || node->links > 0 || node->lookups > 0) return;
    if (const Content* content = node->content(); content != nullptr && overlay_) {
        dirty_blocks_ -= content->dirty.count();
        if (content->has_file) ended_[id] = node->position;
    }
    unsynced_.erase(id);
    cut_.erase(id);
    nodes_.erase(id);
}

int FileSystem::check_name(const Node& parent, std::string_view name) const {
    if (name.size() > name_bytes_max) return ENAMETOOLONG;
    if (parent.links == 0) return ENOENT;  // The folder was removed.
    return parent.folder->names.contains(name) ? EEXIST : 0;
}

int FileSystem::lookup(NodeId parent_id, std::string_view name, struct stat* out) {
    const std::lock_guard lock(mutex_);
    const Node* parent = folder(parent_id);
    if (parent == nullptr) return ENOTDIR;
    if (name.size() > name_bytes_max) return ENAMETOOLONG;
    const auto entry = parent->folder->names.find(name);
    if (entry == parent->folder->names.end()) return ENOENT;
    Node* node = nodes_.find(entry->second);
    HF_ASSERT(node != nullptr);
    ++node->lookups;
    describe(entry->second, *node, out);
    return 0;
}

void FileSystem::forget(NodeId id, std::uint64_t references) {
    const std::lock_guard lock(mutex_);
    Node* node = nodes_.find(id);
    if (node == nullptr || id == root_node) return;
    node->lookups -= std::min(node->lookups, references);
    drop_if_unused(id);
}

int FileSystem::make(NodeId parent_id, std::string_view name, const NewNode& wanted, Caller caller,
                     struct stat* out) {
    if (const int error = refuse_growth(); error != 0) return error;
    const std::lock_guard lock(mutex_);
    const Node* parent = folder(parent_id);
    if (parent == nullptr) return ENOTDIR;
    if (const int error = check_name(*parent, name); error != 0) return error;
    if (wanted.link_target.size() > link_target_bytes_max) return ENAMETOOLONG;
    NodeMade made{nodes_.next_node(), parent_id,     std::string(name),  wanted.mode, caller.uid,
                  caller.gid,         wanted.device, wanted.link_target, now_ns()};
    if ((parent->mode & S_ISGID) != 0) {
        made.gid = parent->gid;
        if (S_ISDIR(wanted.mode)) made.mode |= S_ISGID;
    }
    commit(made, {made.node, parent_id});
    Node* node = nodes_.find(made.node);
    node->lookups = 1;
    describe(made.node, *node, out);
    return 0;
}

int FileSystem::link(NodeId id, NodeId parent_id, std::string_view name, struct stat* out) {
    if (const int error = refuse_growth(); error != 0) return error;
    const std::lock_guard lock(mutex_);
    const Node* parent = folder(parent_id);
    Node* node = nodes_.find(id);
    if (parent == nullptr) return ENOTDIR;
    if (node == nullptr || node->links == 0) return ENOENT;
    if (node->is_folder()) return EPERM;
    if (node->links >= links_max) return EMLINK;
    if (const int error = check_name(*parent, name); error != 0) return error;
    commit(NameAdded{id, parent_id, std::string(name), now_ns()}, {id, parent_id});
    ++node->lookups;
    describe(id, *node, out);
    return 0;
}

int FileSystem::remove(NodeId parent_id, std::string_view name, bool folder_wanted) {
    if (!overlay_) return EROFS;
    const std::lock_guard lock(mutex_);
    const Node* parent = folder(parent_id);
    if (parent == nullptr) return ENOTDIR;
    const auto entry = parent->folder->names.find(name);
    if (entry == parent->folder->names.end()) return ENOENT;
    const NodeId id = entry->second;
    const Node* node = nodes_.find(id);
    if (node->is_folder() != folder_wanted) return folder_wanted ? ENOTDIR : EISDIR;
    if (folder_wanted && !node->folder->names.empty()) return ENOTEMPTY;
    commit(NameRemoved{parent_id, std::string(name), now_ns()}, {id, parent_id});
    drop_if_unused(id);
    return 0;
}

int FileSystem::unlink(NodeId parent, std::string_view name) {
    return remove(parent, name, false);
}

int FileSystem::remove_folder(NodeId parent, std::string_view name) {
    return remove(parent, name, true);
}

int FileSystem::check_replace(const Node& moved, const Node& replaced) const {
    if (moved.is_folder() && !replaced.is_folder()) return ENOTDIR;
    if (!moved.is_folder() && replaced.is_folder()) return EISDIR;
    return replaced.is_folder() && !replaced.folder->names.empty() ? ENOTEMPTY : 0;
}

int FileSystem::rename(NodeId parent_id, std::string_view name, NodeId new_parent_id,
                       std::string_view new_name, unsigned flags) {
    if (!overlay_) return EROFS;
    constexpr unsigned known = RENAME_NOREPLACE | RENAME_EXCHANGE;
    if ((flags & ~known) != 0) return EINVAL;
    const bool exchange = (flags & RENAME_EXCHANGE) != 0;
    const std::lock_guard lock(mutex_);
    const Node* from = folder(parent_id);
    const Node* to = folder(new_parent_id);
    if (from == nullptr || to == nullptr) return ENOTDIR;
    const auto source = from->folder->names.find(name);
    if (source == from->folder->names.end()) return ENOENT;
    const NodeId moved = source->second;
    const int free = check_name(*to, new_name);
    if (free != 0 && free != EEXIST) return free;
    if (exchange && free == 0) return ENOENT;
    if ((flags & RENAME_NOREPLACE) != 0 && free == EEXIST) return EEXIST;
    NodeId replaced = 0;
    if (free == EEXIST) {
        replaced = to->folder->names.find(new_name)->second;
        if (replaced == moved) return 0;
        const int error = exchange ? 0 : check_replace(*nodes_.find(moved), *nodes_.find(replaced));
        if (error != 0) return error;
    }
    commit(Renamed{parent_id, std::string(name), new_parent_id, std::string(new_name), exchange,
                   now_ns()},
           {moved, replaced, parent_id, new_parent_id});
    if (replaced != 0) drop_if_unused(replaced);
    return 0;
}

int FileSystem::read_link(NodeId id, std::string* out) {
    const std::lock_guard lock(mutex_);
    const Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    if (!S_ISLNK(node->mode)) return EINVAL;
    if (node->extras) *out = node->extras->link_target;
    return 0;
}

int FileSystem::list(NodeId id, std::vector<std::pair<std::string, NodeId>>* out) {
    const std::lock_guard lock(mutex_);
    const Node* node = folder(id);
    if (node == nullptr) return ENOTDIR;
    out->clear();
    out->reserve(node->folder->names.size() + 2);
    out->emplace_back(".", id);
    out->emplace_back("..", node->folder->parent);
    out->insert(out->end(), node->folder->names.begin(), node->folder->names.end());
    return 0;
}

std::string FileSystem::path_of(NodeId wanted) {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<NodeId, std::string>> folders{{root_node, ""}};
    while (!folders.empty()) {
        const auto [id, path] = std::move(folders.back());
        folders.pop_back();
        for (const auto& [name, child] : nodes_.find(id)->folder->names) {
            if (child == wanted) return path + name;
            const Node* node = nodes_.find(child);
            if (node->is_folder()) folders.emplace_back(child, path + name + "/");
        }
    }
    return "a file without a name";
}

}  // namespace holdfast::agent
