// Both the plain names and those for large files are defined here, so neither may stand for the
// other in this file.
#undef _FILE_OFFSET_BITS

#include "tests/sim/calls.h"

#include "vault/base/assert.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace holdfast::sim {
namespace {

using Kind = Change::Kind;

/// What a call may need, and so which faults can strike it.
enum class Needs { Nothing, Room };

struct Entry {
    Inode folder = 0;
    std::string name;
    std::optional<Inode> inode;  // None: nothing has that name.
};

class Watched {
public:
    explicit Watched(std::string folder) : folder_(std::move(folder)) {
        take(folder_, Disk::root);
        add({.kind = Kind::SyncAll});
    }

    void arm(const Fault& fault) {
        const std::lock_guard lock(mutex);
        fault_ = fault;
        count_ = 0;
        struck_ = false;
    }

    /// The whole path if it is below the folder and of interest.
    std::optional<std::string> path_of(int at, const char* path) const {
        std::string whole = path;
        if (!whole.starts_with('/')) {
            if (at == AT_FDCWD) return std::nullopt;
            char target[PATH_MAX];
            const std::string link = "/proc/self/fd/" + std::to_string(at);
            const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
            if (length < 0) return std::nullopt;
            whole = std::string(target, static_cast<std::size_t>(length)) + "/" + whole;
        }
        if (!whole.starts_with(folder_ + "/") || whole.ends_with("-shm")) return std::nullopt;
        return whole;
    }

    /// The inode of an open file or folder that is watched.
    std::optional<Inode> inode_of(int fd) const {
        struct stat info {};
        if (::fstat(fd, &info) != 0) return std::nullopt;
        return known(info);
    }

    Entry look_up(const std::string& path) const {
        const std::size_t slash = path.rfind('/');
        Entry entry;
        entry.name = path.substr(slash + 1);
        struct stat info {};
        if (::lstat(path.substr(0, slash).c_str(), &info) == 0) {
            entry.folder = known(info).value_or(0);
        }
        if (::lstat(path.c_str(), &info) == 0) entry.inode = known(info);
        return entry;
    }

    /// The errno of a call that the fault strikes.
    std::optional<int> strike(Needs needs) {
        if (!counts(needs, FaultKind::Fail)) return std::nullopt;
        return fault_.error;
    }
    /// So many bytes of `length` the call may move.
    std::size_t shortened(std::size_t length) {
        return length > 1 && counts(Needs::Nothing, FaultKind::Short) ? length / 2 : length;
    }

    Inode create(const struct stat& info) {
        const Inode inode = ++last_;
        inodes_[{info.st_dev, info.st_ino}] = inode;  // A number may have had a life before.
        add({.kind = Kind::Create, .inode = inode, .is_folder = S_ISDIR(info.st_mode)});
        return inode;
    }

    void add(Change change) { changes_.push_back(std::move(change)); }

    std::mutex mutex;
    std::vector<Change> changes_;
    std::uint64_t count_ = 0;
    bool struck_ = false;

private:
    bool counts(Needs needs, FaultKind kind) {
        const bool shortens = kind == FaultKind::Short;
        if (shortens != (fault_.kind == FaultKind::Short)) return false;
        if (!shortens && fault_.error == ENOSPC && needs != Needs::Room) return false;
        ++count_;
        const bool now = fault_.at != 0 && (count_ == fault_.at ||
                                            (fault_.kind == FaultKind::FailForEver && struck_));
        struck_ = struck_ || now;
        return now;
    }

    std::optional<Inode> known(const struct stat& info) const {
        const auto found = inodes_.find({info.st_dev, info.st_ino});
        if (found == inodes_.end()) return std::nullopt;
        return found->second;
    }

    /// What is there already.
    void take(const std::string& path, Inode inode) {
        struct stat info {};
        HF_ASSERT(::lstat(path.c_str(), &info) == 0);
        inodes_[{info.st_dev, info.st_ino}] = inode;
        for (const auto& item : std::filesystem::directory_iterator(path)) {
            const std::string at = item.path();
            if (at.ends_with("-shm")) continue;
            HF_ASSERT(::lstat(at.c_str(), &info) == 0);
            const Inode below = create(info);
            add({.kind = Kind::Name,
                 .inode = below,
                 .folder = inode,
                 .name = item.path().filename().string()});
            if (S_ISDIR(info.st_mode)) {
                take(at, below);
            } else {
                add({.kind = Kind::Write, .inode = below, .offset = 0, .data = content(at)});
            }
        }
    }

    static Buffer content(const std::string& path) {
        const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY));
        HF_ASSERT(fd >= 0);
        Buffer out(static_cast<std::size_t>(std::filesystem::file_size(path)));
        HF_ASSERT(::syscall(SYS_pread64, fd, out.data(), out.size(), 0) ==
                  static_cast<long>(out.size()));
        ::close(fd);
        return out;
    }

    std::string folder_;
    std::map<std::pair<dev_t, ino_t>, Inode> inodes_;
    Inode last_ = Disk::root;
    Fault fault_;
};

std::atomic<Watched*> watched{nullptr};

int fail(int error) {
    errno = error;
    return -1;
}

int open_at(int at, const char* path, int flags, mode_t mode) {
    const auto raw = [&] { return static_cast<int>(::syscall(SYS_openat, at, path, flags, mode)); };
    Watched* const all = watched;
    const auto whole = all == nullptr ? std::nullopt : all->path_of(at, path);
    if (!whole) return raw();
    const std::lock_guard lock(all->mutex);
    const Entry before = all->look_up(*whole);
    const bool creates = (flags & O_CREAT) != 0 && !before.inode;
    if (const auto error = all->strike(creates ? Needs::Room : Needs::Nothing)) return fail(*error);
    const int fd = raw();
    if (fd < 0) return fd;
    if (creates) {
        struct stat info {};
        HF_ASSERT(::fstat(fd, &info) == 0);
        const Inode inode = all->create(info);
        all->add(
            {.kind = Kind::Name, .inode = inode, .folder = before.folder, .name = before.name});
    } else if ((flags & O_TRUNC) != 0 && before.inode) {
        all->add({.kind = Kind::Truncate, .inode = *before.inode});
    }
    return fd;
}

/// A call on an open file: `call` is given how many bytes it may move, and what it moved is told to
/// `note`.
template <class Make, class Note>
ssize_t on_file(int fd, Needs needs, std::size_t bytes, Make call, Note note) {
    Watched* const all = watched;
    const auto inode = all == nullptr ? std::nullopt : all->inode_of(fd);
    if (!inode) return call(bytes);
    const std::lock_guard lock(all->mutex);
    if (const auto error = all->strike(needs)) return fail(*error);
    const ssize_t done = call(all->shortened(bytes));
    if (done >= 0) note(*all, *inode, static_cast<std::size_t>(done));
    return done;
}

constexpr auto no_note = [](Watched&, Inode, std::size_t) {};

ssize_t read_at(int fd, void* to, std::size_t bytes, std::optional<off_t> offset) {
    const auto call = [&](std::size_t some) {
        return offset ? ::syscall(SYS_pread64, fd, to, some, *offset)
                      : ::syscall(SYS_read, fd, to, some);
    };
    return on_file(fd, Needs::Nothing, bytes, call, no_note);
}

ssize_t write_at(int fd, const void* from, std::size_t bytes, std::optional<off_t> offset) {
    const auto call = [&](std::size_t some) {
        return offset ? ::syscall(SYS_pwrite64, fd, from, some, *offset)
                      : ::syscall(SYS_write, fd, from, some);
    };
    return on_file(fd, Needs::Room, bytes, call, [&](Watched& all, Inode inode, std::size_t done) {
        const auto* data = static_cast<const std::uint8_t*>(from);
        const auto end = static_cast<std::uint64_t>(offset ? 0 : ::lseek(fd, 0, SEEK_CUR));
        all.add({.kind = Kind::Write,
                 .inode = inode,
                 .offset = offset ? static_cast<std::uint64_t>(*offset) : end - done,
                 .data = Buffer(data, data + done)});
    });
}

int truncate_to(int fd, off_t length) {
    const auto call = [&](std::size_t) { return ::syscall(SYS_ftruncate, fd, length); };
    const auto note = [&](Watched& all, Inode inode, std::size_t) {
        all.add(
            {.kind = Kind::Truncate, .inode = inode, .offset = static_cast<std::uint64_t>(length)});
    };
    return static_cast<int>(on_file(fd, Needs::Room, 0, call, note));
}

/// fsync, fdatasync and syncfs, none of which is made; `all_files` is what syncfs makes last.
int sync(int fd, bool all_files) {
    const auto call = [](std::size_t) { return 0L; };
    const auto note = [&](Watched& noted, Inode inode, std::size_t) {
        struct stat info {};
        HF_ASSERT(::fstat(fd, &info) == 0);
        const Kind one = S_ISDIR(info.st_mode) ? Kind::SyncFolder : Kind::SyncFile;
        noted.add({.kind = all_files ? Kind::SyncAll : one, .inode = inode});
    };
    return static_cast<int>(on_file(fd, Needs::Room, 0, call, note));
}

int rename_at(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
    const auto raw = [&] {
        return static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, flags));
    };
    Watched* const all = watched;
    const auto from_path = all == nullptr ? std::nullopt : all->path_of(from_at, from);
    const auto to_path = all == nullptr ? std::nullopt : all->path_of(to_at, to);
    if (!from_path && !to_path) return raw();
    HF_ASSERT(from_path && to_path);  // Nothing moves into the folder or out of it.
    const std::lock_guard lock(all->mutex);
    if (const auto error = all->strike(Needs::Room)) return fail(*error);
    const Entry before = all->look_up(*from_path);
    const Entry after = all->look_up(*to_path);
    const int done = raw();
    if (done != 0) return done;
    HF_ASSERT(before.inode);
    all->add({.kind = Kind::Rename,
              .inode = *before.inode,
              .folder = before.folder,
              .name = before.name,
              .to_folder = after.folder,
              .to_name = after.name});
    return 0;
}

int link_at(int from_at, const char* from, int to_at, const char* to, int flags) {
    Watched* const all = watched;
    const auto path = all == nullptr ? std::nullopt : all->path_of(to_at, to);
    HF_ASSERT(!path);  // Holdfast makes no hard links where it keeps things.
    return static_cast<int>(::syscall(SYS_linkat, from_at, from, to_at, to, flags));
}

int unlink_at(int at, const char* path, int flags) {
    const auto raw = [&] { return static_cast<int>(::syscall(SYS_unlinkat, at, path, flags)); };
    Watched* const all = watched;
    const auto whole = all == nullptr ? std::nullopt : all->path_of(at, path);
    if (!whole) return raw();
    const std::lock_guard lock(all->mutex);
    if (const auto error = all->strike(Needs::Nothing)) return fail(*error);
    const Entry before = all->look_up(*whole);
    const int done = raw();
    if (done == 0) {
        all->add({.kind = Kind::Unname, .folder = before.folder, .name = before.name});
    }
    return done;
}

int make_folder_at(int at, const char* path, mode_t mode) {
    const auto raw = [&] { return static_cast<int>(::syscall(SYS_mkdirat, at, path, mode)); };
    Watched* const all = watched;
    const auto whole = all == nullptr ? std::nullopt : all->path_of(at, path);
    if (!whole) return raw();
    const std::lock_guard lock(all->mutex);
    if (const auto error = all->strike(Needs::Room)) return fail(*error);
    const Entry before = all->look_up(*whole);
    const int done = raw();
    if (done != 0) return done;
    struct stat info {};
    HF_ASSERT(::lstat(whole->c_str(), &info) == 0);
    const Inode inode = all->create(info);
    all->add({.kind = Kind::Name, .inode = inode, .folder = before.folder, .name = before.name});
    return 0;
}

}  // namespace

Calls::Calls(const std::string& folder) {
    HF_ASSERT(watched == nullptr);
    watched = new Watched(folder);
}

Calls::~Calls() {
    delete watched.exchange(nullptr);
}

void Calls::arm(const Fault& fault) {
    watched.load()->arm(fault);
}

std::uint64_t Calls::count() const {
    return watched.load()->count_;
}

bool Calls::struck() const {
    return watched.load()->struck_;
}

const std::vector<Change>& Calls::changes() const {
    return watched.load()->changes_;
}

}  // namespace holdfast::sim

// In front of libc. What these do without a watched folder is what libc does. NOLINTBEGIN: the
// names, the reserved ones among them, are libc's.
namespace sim = holdfast::sim;

namespace {

mode_t mode_in(int flags, va_list& arguments) {
    const bool has = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return has ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

#define HF_SIM_OPEN(NAME)                                 \
    int NAME(const char* path, int flags, ...) {          \
        va_list arguments;                                \
        va_start(arguments, flags);                       \
        const mode_t mode = mode_in(flags, arguments);    \
        va_end(arguments);                                \
        return sim::open_at(AT_FDCWD, path, flags, mode); \
    }
#define HF_SIM_OPENAT(NAME)                              \
    int NAME(int at, const char* path, int flags, ...) { \
        va_list arguments;                               \
        va_start(arguments, flags);                      \
        const mode_t mode = mode_in(flags, arguments);   \
        va_end(arguments);                               \
        return sim::open_at(at, path, flags, mode);      \
    }

extern "C" {

HF_SIM_OPEN(open)
HF_SIM_OPEN(open64)
HF_SIM_OPENAT(openat)
HF_SIM_OPENAT(openat64)
int __open_2(const char* path, int flags) {
    return sim::open_at(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char* path, int flags) {
    return sim::open_at(AT_FDCWD, path, flags, 0);
}
int __openat_2(int at, const char* path, int flags) {
    return sim::open_at(at, path, flags, 0);
}
int __openat64_2(int at, const char* path, int flags) {
    return sim::open_at(at, path, flags, 0);
}

ssize_t read(int fd, void* to, size_t bytes) {
    return sim::read_at(fd, to, bytes, {});
}
ssize_t pread(int fd, void* to, size_t bytes, off_t at) {
    return sim::read_at(fd, to, bytes, at);
}
ssize_t pread64(int fd, void* to, size_t bytes, off64_t at) {
    return sim::read_at(fd, to, bytes, at);
}
ssize_t __read_chk(int fd, void* to, size_t bytes, size_t) {
    return sim::read_at(fd, to, bytes, {});
}
ssize_t __pread_chk(int fd, void* to, size_t bytes, off_t at, size_t) {
    return sim::read_at(fd, to, bytes, at);
}
ssize_t __pread64_chk(int fd, void* to, size_t bytes, off64_t at, size_t) {
    return sim::read_at(fd, to, bytes, at);
}
ssize_t write(int fd, const void* from, size_t bytes) {
    return sim::write_at(fd, from, bytes, {});
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) {
    return sim::write_at(fd, from, bytes, at);
}
ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t at) {
    return sim::write_at(fd, from, bytes, at);
}
int ftruncate(int fd, off_t length) noexcept {
    return sim::truncate_to(fd, length);
}
int ftruncate64(int fd, off64_t length) noexcept {
    return sim::truncate_to(fd, length);
}

int fsync(int fd) {
    return sim::sync(fd, false);
}
int fdatasync(int fd) {
    return sim::sync(fd, false);
}
int syncfs(int fd) noexcept {
    return sim::sync(fd, true);
}

int rename(const char* from, const char* to) noexcept {
    return sim::rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
    return sim::rename_at(from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
    return sim::rename_at(from_at, from, to_at, to, flags);
}
int link(const char* from, const char* to) noexcept {
    return sim::link_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
    return sim::link_at(from_at, from, to_at, to, flags);
}
int unlink(const char* path) noexcept {
    return sim::unlink_at(AT_FDCWD, path, 0);
}
int unlinkat(int at, const char* path, int flags) noexcept {
    return sim::unlink_at(at, path, flags);
}
int rmdir(const char* path) noexcept {
    return sim::unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}
int mkdir(const char* path, mode_t mode) noexcept {
    return sim::make_folder_at(AT_FDCWD, path, mode);
}
int mkdirat(int at, const char* path, mode_t mode) noexcept {
    return sim::make_folder_at(at, path, mode);
}

}  // extern "C"
// NOLINTEND
