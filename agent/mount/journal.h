// Journal: the file in an overlay that says what changed, in order.
//
// Format. A file of frames, the first at offset 0, each right behind the one before:
//     magic "HFj1" | u32 payload bytes | u64 frame number, from 0 | u64 CRC-64 (XZ) of those 16
//     bytes and the payload | payload
// Frame 0 is the header: u64 number of frames that were written together with it, then the
// owner's own header bytes. In any other frame the payload is records, each with a varint length
// before it. Behind the last frame the file is zeros, written ahead, so that an append overwrites
// blocks that exist: it cannot fail for want of space, and its fdatasync has no metadata to write.
//
// Each sync() writes one frame and waits for the disk, so only the last frame can be torn by a
// crash. Reading stops at the first frame that does not check. If a later one does check, or the
// frame was written together with the header, the file is damaged, and that is an error; else
// this is the torn tail of a sync() that never answered, and the next frame replaces it.
//
// Threads: any. Callers of sync() share a write and an fdatasync while one is under way.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/file.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace holdfast::agent {

class Journal {
public:
    using Visit = std::function<Result<void>(View)>;

    /// Opens `folder`/journal, or makes it with `header` if there is none. `check` judges the
    /// header of one that is there; `record` is given every record in order.
    /// Errors: Corrupt, Io, Full, or those of `check` and `record`.
    /// wants_compaction() is true above `compact_bytes`, and twice what the last one left.
    static Result<std::unique_ptr<Journal>> open(const std::string& folder, View header,
                                                 std::uint64_t compact_bytes, const Visit& check,
                                                 const Visit& record);

    /// Queues one record in memory. Answers the position to give to sync().
    std::uint64_t append(View record);

    /// Waits until everything up to `position` is on disk. Answers 0, ENOSPC (nothing is lost:
    /// it may be tried again) or EIO (the disk refused a sync: no sync succeeds from now on).
    int sync(std::uint64_t position);

    std::uint64_t appended() const { return appended_.load(); }
    std::uint64_t durable() const { return durable_.load(); }
    std::uint64_t file_bytes() const { return end_.load(); }

    /// True while the disk is so full that only what frees space should be journaled.
    bool tight() const { return tight_.load(); }

    /// Looks again whether the disk is so full.
    void try_to_widen();

    bool wants_compaction() const { return end_.load() > compact_above_.load(); }

    /// Replaces the whole file by the records of `state`, called under `lock`, under which append()
    /// must be called too. Answers 0, or an errno after which the old file serves on (EIO: see
    /// sync()).
    int compact(std::mutex& lock, const std::function<std::vector<Buffer>()>& state);

private:
    Journal() = default;
    Result<void> create();
    Result<void> load(const Visit& check, const Visit& record);
    int write_queue(std::unique_lock<std::mutex>& held);
    int put_frame(View payload);
    int ensure_room(std::uint64_t bytes);
    void restore_queue(Buffer&& taken);
    int replace_file(const std::vector<Buffer>& records);

    std::string folder_;
    Buffer header_;
    std::uint64_t compact_bytes_ = 0;
    Fd file_;  // This, and the members down to the mutex, belong to whoever leads.
    std::uint64_t next_frame_ = 0;
    std::uint64_t allocated_ = 0;

    std::mutex mutex_;
    std::condition_variable led_;
    bool leading_ = false;
    bool broken_ = false;
    Buffer queue_;
    std::atomic<std::uint64_t> appended_{0};  // Bytes of records since open().
    std::atomic<std::uint64_t> durable_{0};
    std::atomic<std::uint64_t> end_{0};
    std::atomic<std::uint64_t> compact_above_{0};
    std::atomic<bool> tight_{false};
};

}  // namespace holdfast::agent
