// FileSystem: what the kernel may ask of a mount, without a word of FUSE.
//
// A snapshot below, changes in memory and in an overlay above. Without an overlay it is read-only.
//
// Promises, with an overlay:
//   1. After sync() or sync_folder() answered 0, the loss of this process or of power loses none
//      of the file's bytes or size, nor any change of names made before.
//   2. A block is read either whole from the snapshot or whole from the overlay; which, changes
//      only by a journaled Wrote, and that follows the fdatasync of the block.
//   3. A truncation gives its blocks' space back, and they may be written again, only after it is
//      durable: until then a crash must find the old content.
//   4. A node that has lost its last name serves those who hold it open, and is not journaled.
//   5. A read that the snapshot cannot answer is EIO and a logged line, never zeros.
//
// Operations answer 0 or an errno value, which the kernel hands to the program.
// Threads: any. `mutex_` guards the tree and is held for no disk access; a stripe of write_locks_
// guards one node's data file against two writers, one of sync_locks_ against two syncs. Order:
// sync lock, write lock, mutex_, the journal's own.
#pragma once

#include "agent/mount/mount.h"
#include "agent/mount/node_table.h"
#include "agent/mount/overlay.h"
#include "vault/base/clock.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::agent {

struct Caller {
    std::uint32_t uid;
    std::uint32_t gid;
};

/// What chmod, chown, utimens ask for; what is unset stays.
struct Attributes {
    std::optional<std::uint32_t> mode;
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
    std::optional<std::int64_t> atime_ns;
    std::optional<std::int64_t> mtime_ns;
};

struct NewNode {
    std::uint32_t mode;
    std::uint64_t device = 0;
    std::string link_target;
};

class FileSystem {
public:
    /// Of `settings`, those that concern overlay and log count; an empty overlay: read-only.
    /// `lower` and `clock` must outlive it.
    /// Errors: those of NodeTable::load and Overlay::open.
    static Result<std::unique_ptr<FileSystem>> open(const Tree& lower,
                                                    const MountSettings& settings,
                                                    const Clock& clock);

    // Names. lookup, make and link leave one reference with the caller, which forget() returns.
    int lookup(NodeId parent, std::string_view name, struct stat* out);
    void forget(NodeId id, std::uint64_t references);
    int make(NodeId parent, std::string_view name, const NewNode& wanted, Caller caller,
             struct stat* out);
    int link(NodeId id, NodeId parent, std::string_view name, struct stat* out);
    int unlink(NodeId parent, std::string_view name);
    int remove_folder(NodeId parent, std::string_view name);
    int rename(NodeId parent, std::string_view name, NodeId new_parent, std::string_view new_name,
               unsigned flags);
    int read_link(NodeId id, std::string* out);
    /// All names in the folder now, "." and ".." first.
    int list(NodeId id, std::vector<std::pair<std::string, NodeId>>* out);

    int attributes(NodeId id, struct stat* out);
    int set_attributes(NodeId id, const Attributes& wanted);
    int resize(NodeId id, std::uint64_t size);
    int get_xattr(NodeId id, std::string_view name, Buffer* out);
    int set_xattr(NodeId id, std::string_view name, View value, int flags);
    int remove_xattr(NodeId id, std::string_view name);
    int list_xattrs(NodeId id, std::string* out);
    int statistics(struct statvfs* out);

    /// Fills `out` from `offset`; `*filled` is less only at the end of the file.
    int read(NodeId id, std::uint64_t offset, std::span<std::uint8_t> out, std::size_t* filled);
    int write(NodeId id, std::uint64_t offset, View data);
    int allocate(NodeId id, int mode, std::uint64_t offset, std::uint64_t bytes);
    /// fsync, or fdatasync if `data_only`.
    int sync(NodeId id, bool data_only);
    int sync_folder();
    /// Syncs every file that was written to, then the journal. Answers the first failure.
    int sync_all();

    MountStatus status();

private:
    /// Where the bytes of a read come from: one of the snapshot, the overlay, or neither.
    struct Part {
        std::uint64_t offset;
        std::uint64_t bytes;
        enum { Lower, Upper, Zeros } from;
    };
    struct ReadPlan {
        std::vector<Part> parts;
        std::uint64_t ordinal = no_ordinal;
        std::uint64_t cuts = 0;
    };
    /// What a write must do to the blocks at its two ends.
    struct Ends {
        std::uint64_t size;   // Of the file before it.
        std::uint64_t begin;  // First byte to put into the data file,
        std::uint64_t end;    // and one past the last.
        bool fill_head;       // [begin, offset) is to be filled from below,
        bool fill_tail;       // and so is [offset + bytes, end).
        bool zero_old_end;    // The old last block is in the overlay: clear what is behind
                              // the file's end in it, which is about to become visible.
        std::uint64_t fresh;  // Blocks that this write brings into the overlay.
        std::uint64_t cut_position;
    };

    FileSystem(const Tree& lower, const Clock& clock, Log log, NodeTable nodes);
    Result<void> attach(const MountSettings& settings);
    Result<void> check_data_files();

    std::int64_t now_ns() const { return clock_.wall_ms() * 1'000'000; }
    std::mutex& write_lock(NodeId id) { return write_locks_[id % write_locks_.size()]; }
    std::mutex& sync_lock(NodeId id) { return sync_locks_[id % sync_locks_.size()]; }
    /// 0, EROFS or ENOSPC. Frees what can be freed first.
    int refuse_growth();

    // With mutex_ held:
    Node* folder(NodeId id);
    void commit(const Change& change, std::initializer_list<NodeId> touched);
    void commit_to(Node& node, const Change& change);
    void describe(NodeId id, const Node& node, struct stat* out) const;
    void drop_if_unused(NodeId id);
    int find_for_data(NodeId id, Node** out);
    int check_name(const Node& parent, std::string_view name) const;
    int check_replace(const Node& moved, const Node& replaced) const;
    Ends plan_ends(Node& node, std::uint64_t offset, std::uint64_t bytes);
    void mark_written(NodeId id, Node& node, std::uint64_t offset, std::uint64_t bytes, bool grow);

    int remove(NodeId parent, std::string_view name, bool folder_wanted);
    int plan_read(NodeId id, std::uint64_t offset, std::uint64_t bytes, ReadPlan* plan);
    int read_parts(NodeId id, const ReadPlan& plan, std::uint64_t offset,
                   std::span<std::uint8_t> out, bool* moved);
    int read_lower(std::uint64_t ordinal, NodeId id, std::uint64_t offset,
                   std::span<std::uint8_t> out);
    int fill_from_lower(NodeId id, std::uint64_t offset, std::span<std::uint8_t> out);
    int try_write(NodeId id, std::uint64_t offset, View data);
    int try_resize(NodeId id, std::uint64_t size);
    int try_allocate(NodeId id, int mode, std::uint64_t offset, std::uint64_t bytes);
    int prepare_ends(NodeId id, const Ends& ends, std::uint64_t offset);
    int zero_range(NodeId id, std::uint64_t offset, std::uint64_t bytes);
    int sync_data(NodeId id, bool data_only, std::uint64_t* position);
    int bring_to_disk(NodeId id, bool written, bool name_is_new);
    void journal_written(NodeId id, Node& node, bool data_only);
    int sync_journal(std::uint64_t position);
    void reap();
    bool free_space();
    void reap_cut(NodeId id);
    std::string path_of(NodeId id);

    const Tree& lower_;
    const Clock& clock_;
    Log log_;
    std::unique_ptr<Overlay> overlay_;

    std::mutex mutex_;
    NodeTable nodes_;
    std::set<NodeId> unsynced_;              // Files with something for sync_all().
    std::map<NodeId, std::uint64_t> cut_;    // Data files to shorten once a position is durable,
    std::map<NodeId, std::uint64_t> ended_;  // and to remove.
    std::uint64_t dirty_blocks_ = 0;

    std::array<std::mutex, 64> write_locks_;
    std::array<std::mutex, 64> sync_locks_;
    std::mutex compaction_;
    std::atomic<std::uint64_t> bytes_fetched_{0};
    std::atomic<std::uint64_t> bytes_read_{0};
    std::atomic<std::uint64_t> bytes_written_{0};
    std::atomic<std::uint64_t> syncs_{0};
    std::atomic<std::uint64_t> lower_failures_{0};
};

}  // namespace holdfast::agent
