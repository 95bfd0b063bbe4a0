// Status: what the kernel says of an inode, and how that becomes an Entry.
#pragma once

#include "vault/snapshot/entry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

namespace holdfast::agent::files {

using Status = struct statx;

/// Looks at `name` in the open folder, not through a link and without waking an automounter.
/// 0 or an errno.
int look_at(int folder, const char* name, Status& out);
/// Looks at an open file. 0 or an errno.
int look_at(int fd, Status& out);

/// Number of the file system an inode is on, and of the inode in it.
using InodeKey = std::pair<std::uint64_t, std::uint64_t>;
InodeKey inode_key(const Status& status);

inline bool is_folder(const Status& status) {
    return S_ISDIR(status.stx_mode);
}

/// Nanoseconds since 1970; times that an i64 cannot hold (before 1678, after 2262) are clamped.
std::int64_t time_ns(const struct statx_timestamp& time);

/// Names of users and groups, asked from the system once each. Not thread-safe.
class Owners {
public:
    /// Empty where the system knows none (or one longer than the format takes).
    const std::string& user(std::uint32_t uid);
    const std::string& group(std::uint32_t gid);

private:
    static constexpr std::size_t owners_max = 100'000;  // A directory service may have many.
    using Table = std::unordered_map<std::uint32_t, std::string>;
    Table users_;
    Table groups_;
    // The answer of last time is the answer nine times in ten; the tables' nodes do not move.
    std::pair<std::uint32_t, const std::string*> last_user_{0, nullptr};
    std::pair<std::uint32_t, const std::string*> last_group_{0, nullptr};
};

/// Sets all of `entry` that comes from `status`; leaves path, hard_link, link_target and xattrs.
void fill(vault::Entry& entry, const Status& status, Owners& owners);

}  // namespace holdfast::agent::files
