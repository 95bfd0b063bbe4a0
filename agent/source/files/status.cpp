#include "agent/source/files/status.h"

#include <grp.h>
#include <pwd.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <limits>
#include <vector>

namespace holdfast::agent::files {
namespace {

constexpr unsigned wanted = STATX_BASIC_STATS;
constexpr std::size_t owner_name_bytes_max = 256;
constexpr std::size_t owner_record_bytes_max = 1 << 20;

vault::FileType type_of(unsigned mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return vault::FileType::Directory;
        case S_IFLNK:
            return vault::FileType::Symlink;
        case S_IFIFO:
            return vault::FileType::Fifo;
        case S_IFSOCK:
            return vault::FileType::Socket;
        case S_IFCHR:
            return vault::FileType::CharDevice;
        case S_IFBLK:
            return vault::FileType::BlockDevice;
        default:
            return vault::FileType::Regular;
    }
}

/// Calls `ask` with a growing buffer until the record fits. Answers the name or nothing.
template <class Record, class Ask>
std::string ask_name(Ask ask, char* Record::*name) {
    for (std::size_t size = 4096; size <= owner_record_bytes_max; size *= 4) {
        std::vector<char> buffer(size);
        Record record{};
        Record* found = nullptr;
        const int failed = ask(&record, buffer.data(), buffer.size(), &found);
        if (failed == ERANGE) continue;
        if (failed != 0 || found == nullptr) return {};
        std::string text = found->*name;
        return text.size() <= owner_name_bytes_max ? text : std::string();
    }
    return {};
}

}  // namespace

int look_at(int folder, const char* name, Status& out) {
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    return statx(folder, name, flags, wanted, &out) == 0 ? 0 : errno;
}

int look_at(int fd, Status& out) {
    return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, wanted, &out) == 0 ? 0 : errno;
}

InodeKey inode_key(const Status& status) {
    return {makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino};
}

std::int64_t time_ns(const struct statx_timestamp& time) {
    std::int64_t ns = 0;
    if (__builtin_mul_overflow(time.tv_sec, std::int64_t{1'000'000'000}, &ns) ||
        __builtin_add_overflow(ns, std::int64_t{time.tv_nsec}, &ns)) {
        return time.tv_sec < 0 ? std::numeric_limits<std::int64_t>::min()
                               : std::numeric_limits<std::int64_t>::max();
    }
    return ns;
}

const std::string& Owners::user(std::uint32_t uid) {
    if (last_user_.second != nullptr && last_user_.first == uid) return *last_user_.second;
    if (users_.size() >= owners_max) users_.clear();
    const auto [at, missing] = users_.try_emplace(uid);
    if (missing) {
        at->second = ask_name<struct passwd>([&](auto... rest) { return getpwuid_r(uid, rest...); },
                                             &passwd::pw_name);
    }
    last_user_ = {uid, &at->second};
    return at->second;
}

const std::string& Owners::group(std::uint32_t gid) {
    if (last_group_.second != nullptr && last_group_.first == gid) return *last_group_.second;
    if (groups_.size() >= owners_max) groups_.clear();
    const auto [at, missing] = groups_.try_emplace(gid);
    if (missing) {
        at->second = ask_name<struct group>([&](auto... rest) { return getgrgid_r(gid, rest...); },
                                            &group::gr_name);
    }
    last_group_ = {gid, &at->second};
    return at->second;
}

void fill(vault::Entry& entry, const Status& status, Owners& owners) {
    entry.type = type_of(status.stx_mode);
    entry.mode = status.stx_mode & 07777U;
    entry.uid = status.stx_uid;
    entry.gid = status.stx_gid;
    entry.user = owners.user(status.stx_uid);
    entry.group = owners.group(status.stx_gid);
    entry.mtime_ns = time_ns(status.stx_mtime);
    entry.ctime_ns = time_ns(status.stx_ctime);
    entry.inode = status.stx_ino;
    entry.size = S_ISREG(status.stx_mode) ? status.stx_size : 0;
    const bool device = S_ISCHR(status.stx_mode) || S_ISBLK(status.stx_mode);
    entry.device = device ? makedev(status.stx_rdev_major, status.stx_rdev_minor) : 0;
}

}  // namespace holdfast::agent::files
