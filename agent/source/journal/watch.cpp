#include "agent/source/journal/watch.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/fanotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::agent::journal {
namespace {

constexpr std::uint64_t came_or_went = FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO;
constexpr std::uint64_t what_counts =
    came_or_went | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_ONDIR;
constexpr long xfs_magic = 0x58465342;
constexpr std::size_t events_bytes = 256 << 10;
constexpr std::string_view folder_itself = ".";

/// What one event says of names: the folder's handle and the name in it, or an inode's alone.
struct Told {
    std::string_view handle;
    std::string_view name;
};

std::string_view handle_in(const char* at) {
    unsigned bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);  // struct file_handle: bytes, type, the handle.
    return {at + sizeof bytes, sizeof(int) + bytes};
}

/// Takes a name's record before an inode's: the kernel gives both where it knows both.
Told told_by(const char* event, std::size_t length) {
    Told told;
    std::size_t at = sizeof(fanotify_event_metadata);
    while (at + sizeof(fanotify_event_info_fid) <= length) {
        fanotify_event_info_header header{};
        std::memcpy(&header, event + at, sizeof header);
        if (header.len == 0) break;
        const char* const handle = event + at + sizeof(fanotify_event_info_fid);
        if (header.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) {
            told.handle = handle_in(handle);
            // The name, ended by a zero, follows the handle.
            told.name = handle + sizeof(unsigned) + told.handle.size();
            return told;
        }
        if (header.info_type == FAN_EVENT_INFO_TYPE_FID) told.handle = handle_in(handle);
        at += header.len;
    }
    return told;
}

}  // namespace

Result<Watch> Watch::open(const std::string& folder) {
    Fd opened = HF_TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
    struct statfs about {};
    if (::fstatfs(opened.get(), &about) != 0) return io_error(errno, "look at " + folder);
    if (about.f_type != EXT4_SUPER_MAGIC && about.f_type != xfs_magic) {
        return Error{Errc::Invalid, "the journal needs ext4 or XFS, which " + folder +
                                        " is not on: take journal out of the settings"};
    }
    Fd group(::fanotify_init(
        FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_FID | FAN_REPORT_DFID_NAME,
        O_RDONLY));
    if (!group) return io_error(errno, "watch " + folder + " (fanotify)");
    if (::fanotify_mark(group.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, what_counts, opened.get(),
                        nullptr) != 0) {
        return io_error(errno, "watch the file system of " + folder + " (fanotify)");
    }
    return Watch(std::move(opened), std::move(group));
}

Result<Watch::News> Watch::drain(ChangeSet& changes) {
    News news;
    events_.resize(events_bytes);
    while (!news.more) {
        const ssize_t got = ::read(group_.get(), events_.data(), events_.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return news;
        if (got < 0) return io_error(errno, "read what changed (fanotify)");
        const char* const all = reinterpret_cast<const char*>(events_.data());
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            fanotify_event_metadata event{};
            std::memcpy(&event, all + at, sizeof event);
            if (event.vers != FANOTIFY_METADATA_VERSION) {
                return Error{Errc::Io, "the kernel tells changes in a form that is not known"};
            }
            const Told told = told_by(all + at, event.event_len);
            at += event.event_len;
            if ((event.mask & FAN_Q_OVERFLOW) != 0) {
                news.lost = true;
                changes.lose_all();
                continue;
            }
            const bool moves = (event.mask & came_or_went) != 0;
            const bool deep = moves && (event.mask & FAN_ONDIR) != 0;
            changes.note(told.handle, told.name, deep);
            if (moves) changes.note(told.handle, folder_itself, false);
            news.folder_moved =
                news.folder_moved || (deep && (event.mask & (FAN_MOVED_FROM | FAN_MOVED_TO)) != 0);
        }
        news.more = changes.full();
    }
    return news;
}

}  // namespace holdfast::agent::journal
