// FileSystem's operations on attributes.
#include "agent/mount/file_system.h"
#include "vault/snapshot/entry.h"

#include <sys/xattr.h>

#include <cerrno>

namespace holdfast::agent {

int FileSystem::attributes(NodeId id, struct stat* out) {
    const std::lock_guard lock(mutex_);
    const Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    describe(id, *node, out);
    return 0;
}

int FileSystem::set_attributes(NodeId id, const Attributes& wanted) {
    if (!overlay_) return EROFS;
    const std::lock_guard lock(mutex_);
    Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    commit_to(*node, AttributesSet{id, wanted.mode.value_or(node->mode),
                                   wanted.uid.value_or(node->uid), wanted.gid.value_or(node->gid),
                                   wanted.atime_ns.value_or(node->atime_ns),
                                   wanted.mtime_ns.value_or(node->mtime_ns), now_ns()});
    return 0;
}

int FileSystem::get_xattr(NodeId id, std::string_view name, Buffer* out) {
    const std::lock_guard lock(mutex_);
    const Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    if (!node->extras) return ENODATA;
    const auto found = node->extras->xattrs.find(name);
    if (found == node->extras->xattrs.end()) return ENODATA;
    *out = found->second;
    return 0;
}

int FileSystem::set_xattr(NodeId id, std::string_view name, View value, int flags) {
    if (const int error = refuse_growth(); error != 0) return error;
    if (name.size() > name_bytes_max) return ERANGE;
    if (value.size() > vault::xattr_bytes_max) return E2BIG;
    const std::lock_guard lock(mutex_);
    Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    const bool there = node->extras && node->extras->xattrs.contains(name);
    if (there && (flags & XATTR_CREATE) != 0) return EEXIST;
    if (!there && (flags & XATTR_REPLACE) != 0) return ENODATA;
    if (!there && node->extras && node->extras->xattrs.size() >= vault::xattrs_max) return ENOSPC;
    commit_to(*node, XattrSet{id, std::string(name), {value.begin(), value.end()}, now_ns()});
    return 0;
}

int FileSystem::remove_xattr(NodeId id, std::string_view name) {
    if (!overlay_) return EROFS;
    const std::lock_guard lock(mutex_);
    Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    if (!node->extras || !node->extras->xattrs.contains(name)) return ENODATA;
    commit_to(*node, XattrRemoved{id, std::string(name), now_ns()});
    return 0;
}

int FileSystem::list_xattrs(NodeId id, std::string* out) {
    const std::lock_guard lock(mutex_);
    const Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    out->clear();
    if (!node->extras) return 0;
    for (const auto& [name, value] : node->extras->xattrs) {
        out->append(name);
        out->push_back('\0');
    }
    return 0;
}

int FileSystem::statistics(struct statvfs* out) {
    *out = {};
    out->f_bsize = out->f_frsize = block_bytes;
    out->f_namemax = name_bytes_max;
    if (overlay_ && ::statvfs(overlay_->folder().c_str(), out) != 0) return errno;
    const std::lock_guard lock(mutex_);
    out->f_files = std::max<fsfilcnt_t>(out->f_files, nodes_.node_count());
    return 0;
}

MountStatus FileSystem::status() {
    MountStatus out;
    out.bytes_fetched = bytes_fetched_;
    out.bytes_read = bytes_read_;
    out.bytes_written = bytes_written_;
    out.syncs = syncs_;
    out.lower_failures = lower_failures_;
    if (overlay_) out.journal_bytes = overlay_->journal().file_bytes();
    const std::lock_guard lock(mutex_);
    out.nodes = nodes_.node_count();
    out.dirty_blocks = dirty_blocks_;
    return out;
}

}  // namespace holdfast::agent
