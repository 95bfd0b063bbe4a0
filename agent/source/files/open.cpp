#include "agent/source/files/open.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace holdfast::agent::files {
namespace {

constexpr int never_through_links = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;

// Those that linux/magic.h does not name.
constexpr long fusectl_magic = 0x65735543;
constexpr long mqueue_magic = 0x19800202;
constexpr long configfs_magic = 0x62656570;
constexpr long rpc_pipefs_magic = 0x67596969;

Opened open_at(int folder, const char* name, int flags) {
    int fd = openat(folder, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) fd = openat(folder, name, flags);  // Not ours.
    return fd < 0 ? Opened{Fd(), errno} : Opened{Fd(fd), 0};
}

/// Someone holds a lease on the file (Samba does): waits until it is given back. Only a regular
/// file is waited for.
Opened open_leased(int folder, const char* name) {
    const Fd there(openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!there || fstat(there.get(), &info) != 0) return {Fd(), errno};
    if (!S_ISREG(info.st_mode)) return {Fd(), ENOENT};
    const std::string path = "/proc/self/fd/" + std::to_string(there.get());
    return open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

}  // namespace

Opened open_folder(int folder, const char* name) {
    return open_at(folder, name, never_through_links | O_DIRECTORY);
}

Opened open_regular(int folder, const char* name) {
    Opened opened = open_at(folder, name, never_through_links | O_NONBLOCK);
    if (opened.failed == EWOULDBLOCK) return open_leased(folder, name);
    return opened;
}

bool is_kernel_file_system(int fd) {
    static constexpr std::array<long, 21> kernels{
        PROC_SUPER_MAGIC, SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
        DEBUGFS_MAGIC,    TRACEFS_MAGIC,  SECURITYFS_MAGIC,   DEVPTS_SUPER_MAGIC,
        BPF_FS_MAGIC,     PSTOREFS_MAGIC, EFIVARFS_MAGIC,     AUTOFS_SUPER_MAGIC,
        HUGETLBFS_MAGIC,  SELINUX_MAGIC,  SMACK_MAGIC,        BINFMTFS_MAGIC,
        NSFS_MAGIC,       fusectl_magic,  mqueue_magic,       configfs_magic,
        rpc_pipefs_magic};
    struct statfs info {};
    if (fstatfs(fd, &info) != 0) return false;
    return std::find(kernels.begin(), kernels.end(), info.f_type) != kernels.end();
}

}  // namespace holdfast::agent::files
