#include "agent/restore/dresser.h"

#include "vault/base/file.h"
#include "vault/base/timespec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::agent {
namespace {

// chown() takes this number for "leave it as it is".
constexpr std::uint32_t no_owner = 0xffffffff;
constexpr std::uint32_t set_id_bits = S_ISUID | S_ISGID;

}  // namespace

/// An inode, open (name is null), or under a name in an open folder.
struct Dresser::Target {
    int fd;
    const char* name;

    int chown_to(std::uint32_t uid, std::uint32_t gid) const {
        return name == nullptr ? fchown(fd, uid, gid)
                               : fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW);
    }
    /// By name chmod() follows a link, which somebody else may have put there since: so the inode
    /// is held first.
    int chmod_to(std::uint32_t mode) const {
        if (name == nullptr) return fchmod(fd, mode);
        const Fd held(openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat about {};
        if (!held || fstat(held.get(), &about) != 0) return -1;
        if (S_ISLNK(about.st_mode)) return errno = ELOOP, -1;
        return chmod(("/proc/self/fd/" + std::to_string(held.get())).c_str(), mode);
    }
    int set_xattr(const std::string& xattr, View value) const {
        if (name == nullptr) return fsetxattr(fd, xattr.c_str(), value.data(), value.size(), 0);
        const std::string path = "/proc/self/fd/" + std::to_string(fd) + "/" + name;
        return lsetxattr(path.c_str(), xattr.c_str(), value.data(), value.size(), 0);
    }
    int set_mtime(std::int64_t ns) const {
        const struct timespec times[2] = {{0, UTIME_OMIT}, timespec_of(ns)};
        return name == nullptr ? futimens(fd, times)
                               : utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW);
    }
};

void Dresser::dress(int fd, const vault::Entry& entry) {
    dress(Target{fd, nullptr}, entry);
}

void Dresser::dress_at(int folder, const std::string& name, const vault::Entry& entry) {
    dress(Target{folder, name.c_str()}, entry);
}

void Dresser::dress(const Target& target, const vault::Entry& entry) {
    const bool owned = set_owner(target, entry);
    set_xattrs(target, entry);
    if (entry.type != vault::FileType::Symlink) {
        // A program must not run with the rights of whoever happens to restore it.
        const std::uint32_t mode = owned ? entry.mode : entry.mode & ~set_id_bits;
        if (target.chmod_to(mode & 07777) != 0) warn(entry, "the mode cannot be set", errno);
    }
    if (target.set_mtime(entry.mtime_ns) != 0) warn(entry, "the time cannot be set", errno);
}

bool Dresser::set_owner(const Target& target, const vault::Entry& entry) {
    const std::uint32_t uid = owners_.user_of(entry);
    const std::uint32_t gid = owners_.group_of(entry);
    const bool possible = uid != no_owner && gid != no_owner;
    if (possible && target.chown_to(uid, gid) == 0) return true;
    const int error = possible ? errno : EINVAL;
    // The group alone may be one of ours.
    const bool group = gid != no_owner && target.chown_to(no_owner, gid) == 0;
    warn(entry, group ? "the user cannot be set" : "the owner cannot be set", error);
    return false;
}

void Dresser::set_xattrs(const Target& target, const vault::Entry& entry) {
    for (const auto& [name, value] : entry.xattrs) {
        if (target.set_xattr(name, value) != 0)
            warn(entry, "xattr " + name + " cannot be set", errno);
    }
}

void Dresser::warn(const vault::Entry& entry, const std::string& what, int error) {
    notices_->warn(entry.path, what + ": " + std::strerror(error));
}

}  // namespace holdfast::agent
