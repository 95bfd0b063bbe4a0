// FileSystem's durability: blocks first, then the journal that names them, then what they free.
#include "agent/mount/file_system.h"
#include "vault/base/fault.h"

#include <unistd.h>

#include <cerrno>

namespace holdfast::agent {

int FileSystem::sync(NodeId id, bool data_only) {
    if (!overlay_) return 0;
    std::uint64_t position = 0;
    if (const int error = sync_data(id, data_only, &position); error != 0) return error;
    return sync_journal(position);
}

int FileSystem::sync_data(NodeId id, bool data_only, std::uint64_t* position) {
    const std::lock_guard syncing(sync_lock(id));
    bool written = false;
    bool named = false;
    {
        const std::lock_guard lock(mutex_);
        Node* node = nodes_.find(id);
        if (node == nullptr || node->links == 0) {
            unsynced_.erase(id);
            return 0;
        }
        *position = node->position;
        Content* content = node->content();
        if (content == nullptr) return 0;
        if (content->failed) return EIO;
        HF_ASSERT(content->syncing.empty());
        content->syncing.swap(content->pending);
        content->syncing_size = node->size;
        written = std::exchange(content->unsynced, false);
        named = !std::exchange(content->file_is_new, false);
    }
    const int error = bring_to_disk(id, written, !named);
    const std::lock_guard lock(mutex_);
    Node* node = nodes_.find(id);
    if (node == nullptr) return error;
    if (error != 0) {
        // The kernel may have dropped the pages it could not write, and would not tell again.
        Content& content = *node->content();
        content.failed = true;
        content.pending.insert(content.pending.end(), content.syncing.begin(),
                               content.syncing.end());
        content.syncing.clear();
        return EIO;
    }
    journal_written(id, *node, data_only);
    *position = node->position;
    return 0;
}

int FileSystem::bring_to_disk(NodeId id, bool written, bool name_is_new) {
    if (!written && !name_is_new) return 0;
    const auto file = overlay_->data_file(id, false);
    if (!file) return errno;
    fault_point("sync: about to sync data");
    if (::fdatasync(file->get()) != 0) return errno;
    fault_point("sync: data synced");
    if (!name_is_new) return 0;
    if (const int error = overlay_->sync_data_folder(); error != 0) return error;
    fault_point("sync: data file's name synced");
    return 0;
}

/// With mutex_ held: the blocks in `syncing` are on disk, so the journal may name them.
void FileSystem::journal_written(NodeId id, Node& node, bool data_only) {
    Content& content = *node.content();
    std::vector<BlockRun> blocks = std::move(content.syncing);
    content.syncing.clear();
    const bool grew = content.syncing_size > content.journaled_size;
    const bool times = node.times_unsynced && !data_only;
    if (node.links > 0 && (!blocks.empty() || grew || times)) {
        content.journaled_size = std::max(content.journaled_size, content.syncing_size);
        node.position = overlay_->journal().append(encode_change(
            Wrote{id, content.syncing_size, node.mtime_ns, node.ctime_ns, std::move(blocks)}));
        node.times_unsynced = false;
    }
    if (!content.unsynced && !node.times_unsynced) unsynced_.erase(id);
}

int FileSystem::sync_journal(std::uint64_t position) {
    Journal& journal = overlay_->journal();
    ++syncs_;
    if (position > journal.durable()) {
        if (const int error = journal.sync(position); error != 0) return error;
    }
    reap();
    if (!journal.wants_compaction()) return 0;
    const std::unique_lock compacting(compaction_, std::try_to_lock);
    if (!compacting.owns_lock()) return 0;
    const int error = journal.compact(mutex_, [this] { return nodes_.changes_since_snapshot(); });
    if (error != 0) log_("the overlay's journal cannot be compacted now; it serves on");
    return 0;
}

int FileSystem::sync_folder() {
    return overlay_ ? sync_journal(overlay_->journal().appended()) : 0;
}

int FileSystem::sync_all() {
    if (!overlay_) return 0;
    std::set<NodeId> wanted;
    {
        const std::lock_guard lock(mutex_);
        wanted = unsynced_;
    }
    int first_error = 0;
    for (const NodeId id : wanted) {
        std::uint64_t position = 0;
        const int error = sync_data(id, false, &position);
        if (first_error == 0) first_error = error;
    }
    const int error = sync_folder();
    return first_error != 0 ? first_error : error;
}

/// Gives back the space of what is durably removed or cut off.
void FileSystem::reap() {
    const std::uint64_t durable = overlay_->journal().durable();
    std::vector<NodeId> ended;
    std::vector<NodeId> cut;
    {
        const std::lock_guard lock(mutex_);
        const auto take = [&](std::map<NodeId, std::uint64_t>& from, std::vector<NodeId>& to) {
            std::erase_if(from, [&](const auto& item) {
                if (item.second > durable) return false;
                to.push_back(item.first);
                return true;
            });
        };
        take(ended_, ended);
        take(cut_, cut);
    }
    for (const NodeId id : ended) {
        fault_point("reap: about to remove a data file");
        overlay_->remove_data_file(id);
    }
    for (const NodeId id : cut) reap_cut(id);
}

void FileSystem::reap_cut(NodeId id) {
    const std::lock_guard writing(write_lock(id));
    std::uint64_t kept_bytes = 0;
    {
        const std::lock_guard lock(mutex_);
        Node* node = nodes_.find(id);
        if (node == nullptr || node->content() == nullptr) return;
        if (node->content()->cut_position > overlay_->journal().durable()) return;
        kept_bytes = node->content()->dirty.end() * block_bytes;
    }
    const auto file = overlay_->data_file(id, false);
    if (!file) return;
    fault_point("reap: about to shorten a data file");
    if (::ftruncate(file->get(), static_cast<off_t>(kept_bytes)) != 0) {
        log_("cannot give back the space of a truncated file in " + overlay_->folder());
    }
}

/// Called when the disk is full. Answers whether that may have helped.
bool FileSystem::free_space() {
    bool waiting = false;
    {
        const std::lock_guard lock(mutex_);
        waiting = !ended_.empty() || !cut_.empty();
    }
    if (waiting) {
        if (overlay_->journal().sync(overlay_->journal().appended()) != 0) return false;
        reap();
    }
    overlay_->journal().try_to_widen();
    return waiting;
}

}  // namespace holdfast::agent
