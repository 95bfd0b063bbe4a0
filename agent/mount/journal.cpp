#include "agent/mount/journal.h"

#include "agent/mount/frame.h"
#include "vault/base/fault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t ahead_bytes = 1 << 20;            // Zeros are written in such steps,
constexpr std::uint64_t reserve_bytes = ahead_bytes / 2;  // as soon as fewer are left.
constexpr std::uint64_t journal_bytes_max = 8ULL << 30;
constexpr std::uint64_t records_per_frame_bytes = 1 << 20;

std::string path_in(const std::string& folder) {
    return folder + "/journal";
}

int write_at(const Fd& fd, View data, std::uint64_t offset) {
    while (!data.empty()) {
        const ssize_t n = ::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        data = data.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return 0;
}

/// The header frame and those that come with it; `owner` is the owner's header.
Buffer first_frames(View owner, const std::vector<Buffer>& records) {
    std::vector<Buffer> payloads;
    for (const Buffer& record : records) {
        if (payloads.empty() || payloads.back().size() > records_per_frame_bytes) {
            payloads.emplace_back();
        }
        ByteWriter(payloads.back()).blob(record);
    }
    Buffer header;
    ByteWriter to(header);
    to.u64(1 + payloads.size());
    to.bytes(owner);
    Buffer out;
    append_frame(out, 0, header);
    for (std::size_t i = 0; i < payloads.size(); ++i) append_frame(out, i + 1, payloads[i]);
    return out;
}

Result<void> visit_records(View payload, const Journal::Visit& record) {
    ByteReader in(payload);
    while (in.ok() && in.left() > 0) {
        const View bytes = in.blob(frame_payload_bytes_max);
        if (in.ok()) HF_TRY(record(bytes));
    }
    if (!in.done()) return Error{Errc::Corrupt, "a frame whose records do not fill it"};
    return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::string& folder, View header,
                                               std::uint64_t compact_bytes, const Visit& check,
                                               const Visit& record) {
    std::unique_ptr<Journal> journal(new Journal);
    journal->folder_ = folder;
    journal->compact_bytes_ = compact_bytes;
    journal->header_.assign(header.begin(), header.end());
    if (!path_exists(path_in(folder))) HF_TRY(journal->create());
    journal->file_ = HF_TRY(open_file(path_in(folder), O_RDWR));
    HF_TRY(journal->load(check, record).within(path_in(folder)));
    if (const int error = journal->ensure_room(0); error != 0 && error != ENOSPC) {
        return io_error(error, "write " + path_in(folder));
    }
    return journal;
}

Result<void> Journal::create() {
    const Buffer frames = first_frames(header_, {});
    return write_file_durably(path_in(folder_), frames);
}

Result<void> Journal::load(const Visit& check, const Visit& record) {
    const Buffer all = HF_TRY(read_file(path_in(folder_), journal_bytes_max));
    allocated_ = all.size();
    const auto header = frame_at(all, 0);
    if (!header || header->size() < 8) return Error{Errc::Corrupt, "the header is damaged"};
    const std::uint64_t first_frames_count = ByteReader(*header).u64();
    HF_TRY(check(header->subspan(8)));

    std::uint64_t at = frame_head_bytes + header->size();
    for (next_frame_ = 1;; ++next_frame_) {
        const View rest = View(all).subspan(at);
        const auto payload = frame_at(rest, next_frame_);
        if (!payload) {
            if (next_frame_ < first_frames_count || later_frame_in(rest, next_frame_)) {
                return Error{Errc::Corrupt, "damaged at byte " + std::to_string(at) +
                                                ": changes behind it cannot be told"};
            }
            break;
        }
        HF_TRY(visit_records(*payload, record));
        at += frame_head_bytes + payload->size();
    }
    end_ = at;
    compact_above_ = std::max(compact_bytes_, 2 * at);
    return {};
}

std::uint64_t Journal::append(View record) {
    const std::lock_guard lock(mutex_);
    const std::size_t before = queue_.size();
    ByteWriter(queue_).blob(record);
    return appended_ += queue_.size() - before;
}

int Journal::sync(std::uint64_t position) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (durable_ >= position) return 0;
        if (broken_) return EIO;
        if (leading_) {
            led_.wait(lock);
            continue;
        }
        leading_ = true;
        const int error = write_queue(lock);
        leading_ = false;
        led_.notify_all();
        if (error != 0) return error;
    }
}

/// Called with the mutex held and the lead taken; lets go of the mutex while it writes.
int Journal::write_queue(std::unique_lock<std::mutex>& held) {
    Buffer taken = std::move(queue_);
    queue_.clear();
    const std::uint64_t position = appended_;
    held.unlock();
    fault_point("journal: about to append");
    const int error = put_frame(taken);
    if (error == 0) fault_point("journal: appended and synced");
    held.lock();
    if (error != 0) {
        restore_queue(std::move(taken));
        return error;
    }
    durable_ = position;
    return 0;
}

int Journal::put_frame(View payload) {
    Buffer frame;
    frame.reserve(frame_head_bytes + payload.size());
    append_frame(frame, next_frame_, payload);
    if (const int error = ensure_room(frame.size()); error != 0) return error;
    // A frame that fails half written is overwritten by the next attempt; nothing points behind it.
    if (const int error = write_at(file_, frame, end_); error != 0) return error;
    fault_point("journal: appended");
    if (::fdatasync(file_.get()) != 0) {
        // The kernel may have dropped the pages it could not write: nothing more can be promised.
        const std::lock_guard lock(mutex_);
        broken_ = true;
        return EIO;
    }
    end_ += frame.size();
    ++next_frame_;
    return 0;
}

/// Zeros behind the end, at least `bytes` of them, and the reserve if there is space.
int Journal::ensure_room(std::uint64_t bytes) {
    const std::uint64_t wanted = end_ + bytes;
    if (allocated_ >= wanted + reserve_bytes) {
        tight_ = false;
        return 0;
    }
    const std::uint64_t target = wanted + ahead_bytes;
    const Buffer zeros(target - allocated_);
    const int error = write_at(file_, zeros, allocated_);
    if (error == 0) {
        allocated_ = target;
        tight_ = false;
        return 0;
    }
    if (::ftruncate(file_.get(), static_cast<off_t>(allocated_)) != 0) return errno;
    tight_ = true;
    return allocated_ >= wanted ? 0 : error;
}

void Journal::try_to_widen() {
    std::unique_lock lock(mutex_);
    led_.wait(lock, [this] { return !leading_; });
    if (broken_) return;
    leading_ = true;
    lock.unlock();
    (void)ensure_room(0);  // Its outcome is tight().
    lock.lock();
    leading_ = false;
    led_.notify_all();
}

void Journal::restore_queue(Buffer&& taken) {
    taken.insert(taken.end(), queue_.begin(), queue_.end());
    queue_ = std::move(taken);
}

int Journal::compact(std::mutex& lock, const std::function<std::vector<Buffer>()>& state) {
    {
        std::unique_lock held(mutex_);
        led_.wait(held, [this] { return !leading_; });
        if (broken_) return EIO;
        leading_ = true;
    }
    std::vector<Buffer> records;
    Buffer taken;
    std::uint64_t position = 0;
    {
        const std::lock_guard outer(lock);
        records = state();
        const std::lock_guard held(mutex_);
        taken = std::move(queue_);
        queue_.clear();
        position = appended_;
    }
    const int error = replace_file(records);
    const std::lock_guard held(mutex_);
    if (error == 0) {
        durable_ = position;
    } else {
        restore_queue(std::move(taken));
        compact_above_ = end_ + compact_bytes_;
    }
    leading_ = false;
    led_.notify_all();
    return error;
}

int Journal::replace_file(const std::vector<Buffer>& records) {
    const std::string next = path_in(folder_) + ".new";
    const Buffer frames = first_frames(header_, records);
    Result<Fd> file = open_file(next, O_RDWR | O_CREAT | O_TRUNC);
    if (!file) return EIO;
    int error = write_at(*file, frames, 0);
    if (error == 0 && ::fdatasync(file->get()) != 0) error = errno;
    fault_point("journal: compacted file written");
    if (error == 0 && ::rename(next.c_str(), path_in(folder_).c_str()) != 0) error = errno;
    if (error != 0) {
        ::unlink(next.c_str());
        return error;
    }
    fault_point("journal: compacted file renamed");
    if (!sync_folder(folder_)) {
        const std::lock_guard lock(mutex_);
        broken_ = true;
        return EIO;
    }
    file_ = *std::move(file);
    end_ = allocated_ = frames.size();
    next_frame_ = ByteReader(View(frames).subspan(frame_head_bytes)).u64();
    compact_above_ = std::max(compact_bytes_, 2 * end_.load());
    // A disk too full for the zeros is told by tight(), and by the sync() that needs them.
    return ensure_room(0) == EIO ? EIO : 0;
}

}  // namespace holdfast::agent
