#include "agent/process/command.h"
#include "agent/source/moment/moment.h"
#include "agent/source/passing_name.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace holdfast::agent::moment {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view reflink_prefix = ".holdfast-moment-";
constexpr int clone_tries = 5;
constexpr int tick_ms = 10;  // The kernel's stamps are at most this old.

struct Original {
    std::uint64_t inode;
    std::int64_t ctime_ns;
};

std::int64_t ns_of(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// All that a tree is, in one number: the sum over its entries, so that their order does not
/// matter.
struct Sight {
    std::uint64_t sum = 0;
    std::int64_t newest_ns = 0;

    void add(const std::string& path, const struct stat& info) {
        std::uint64_t one = std::hash<std::string>{}(path);
        for (const std::uint64_t part :
             {static_cast<std::uint64_t>(info.st_ino), static_cast<std::uint64_t>(info.st_size),
              static_cast<std::uint64_t>(ns_of(info.st_ctim)),
              static_cast<std::uint64_t>(ns_of(info.st_mtim))}) {
            one = (one ^ part) * 0x9e3779b97f4a7c15U;
            one ^= one >> 29;
        }
        sum += one;
        newest_ns = std::max(newest_ns, ns_of(info.st_ctim));
    }
};

/// Calls `visit` with the path below `folder` and the status of everything in it but our own.
/// Errors: Io, those of `visit`.
template <class Visit>
Result<void> walk(const std::string& folder, Visit visit) {
    std::error_code failed;
    fs::recursive_directory_iterator at(folder, failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        const std::string path = at->path().string().substr(folder.size() + 1);
        if (at.depth() == 0 && path.starts_with(reflink_prefix)) {
            at.disable_recursion_pending();
            continue;
        }
        struct stat info {};
        if (::lstat(at->path().c_str(), &info) != 0) {
            if (errno == ENOENT) continue;  // It goes: the sum will tell.
            return io_error(errno, "look at " + at->path().string());
        }
        HF_TRY(visit(path, info));
    }
    if (failed && failed.value() != ENOENT) return io_error(failed.value(), "read " + folder);
    return {};
}

Result<Sight> look(const std::string& folder) {
    Sight sight;
    HF_TRY(walk(folder, [&](const std::string& path, const struct stat& info) -> Result<void> {
        sight.add(path, info);
        return {};
    }));
    return sight;
}

/// Until a change of now has another stamp than any that was seen.
void pass_tick(std::int64_t newest_ns) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (newest_ns >= ns_of(now) - 1'000'000LL * tick_ms) (void)::poll(nullptr, 0, tick_ms);
}

/// Owner, mode, times and xattrs (ACLs among them) of the tree's own folder.
Result<void> copy_root(const std::string& from, const struct stat& info, const std::string& to) {
    std::string names(64 << 10, '\0');
    const ssize_t listed = ::listxattr(from.c_str(), names.data(), names.size());
    if (listed < 0 && errno != ENOTSUP) return io_error(errno, "xattrs of " + from);
    names.resize(static_cast<std::size_t>(std::max<ssize_t>(listed, 0)));
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        std::string value(64 << 10, '\0');
        const ssize_t got = ::getxattr(from.c_str(), name.c_str(), value.data(), value.size());
        if (got < 0 || ::setxattr(to.c_str(), name.c_str(), value.data(),
                                  static_cast<std::size_t>(got), 0) != 0) {
            return io_error(errno, "copy the xattr " + name + " of " + from);
        }
    }
    const timespec times[] = {info.st_atim, info.st_mtim};
    if (::lchown(to.c_str(), info.st_uid, info.st_gid) != 0 ||
        ::chmod(to.c_str(), info.st_mode & 07777) != 0 ||
        ::utimensat(AT_FDCWD, to.c_str(), times, 0) != 0) {
        return io_error(errno, "copy what " + from + " is like to " + to);
    }
    return {};
}

/// cp clones, and knows everything that a file may have.
Result<void> clone_tree(const std::string& from, const std::string& to) {
    CommandOrder order;
    order.command = {"/usr/bin/find",
                     from,
                     "-mindepth",
                     "1",
                     "-maxdepth",
                     "1",
                     "!",
                     "-name",
                     std::string(reflink_prefix) + "*",
                     "-exec",
                     "/usr/bin/cp",
                     "--archive",
                     "--reflink=always",
                     "--target-directory=" + to,
                     "--",
                     "{}",
                     "+"};
    order.ms_max = std::numeric_limits<int>::max();
    const CommandResult ran = HF_TRY(run_command(order));
    if (ran.ok()) return {};
    if (ran.error_tail.find("failed to clone") != std::string::npos) {
        return Error{Errc::Invalid, from + " cannot be cloned: " + ran.error_tail};
    }
    return Error{Errc::Io, "clone " + from + ": " + ran.error_tail};
}

class ReflinkMoment final : public Moment {
public:
    explicit ReflinkMoment(std::string folder) : folder_(std::move(folder)) {}
    ~ReflinkMoment() override {
        std::error_code ignored;
        if (open_) fs::remove_all(folder_, ignored);
    }
    const std::string& folder() const override { return folder_; }

    void translate(vault::Entry& entry) const override {
        const auto found = originals_.find(entry.inode);
        if (entry.type == vault::FileType::Directory || found == originals_.end()) return;
        if (entry.hard_link == entry.inode) entry.hard_link = found->second.inode;
        entry.inode = found->second.inode;
        entry.ctime_ns = found->second.ctime_ns;
    }

    Result<void> end() override {
        open_ = false;
        return clear();
    }

    Result<void> clear() {
        std::error_code failed;
        fs::remove_all(folder_, failed);
        if (failed) return io_error(failed.value(), "remove " + folder_);
        return {};
    }

    /// True: the clone is of one moment, and it is known whose clone each file is.
    Result<bool> take(const std::string& from) {
        struct stat root {};
        if (::stat(from.c_str(), &root) != 0) return io_error(errno, "look at " + from);
        const Sight before = HF_TRY(look(from));
        pass_tick(before.newest_ns);
        if (::mkdir(folder_.c_str(), 0700) != 0) return io_error(errno, "make " + folder_);
        const auto cloned = clone_tree(from, folder_);
        Sight after;
        originals_.clear();
        bool whole = true;
        HF_TRY(walk(from, [&](const std::string& path, const struct stat& info) -> Result<void> {
            after.add(path, info);
            if (S_ISDIR(info.st_mode)) return {};
            struct stat clone {};
            whole = whole && ::lstat((folder_ + "/" + path).c_str(), &clone) == 0;
            originals_[clone.st_ino] = {info.st_ino, ns_of(info.st_ctim)};
            return {};
        }));
        if (before.sum != after.sum) return false;
        HF_TRY(cloned);  // A name that went while cp ran is no failure of its own.
        HF_TRY(copy_root(from, root, folder_));
        return whole;
    }

private:
    std::string folder_;
    std::unordered_map<std::uint64_t, Original> originals_;  // By the clone's inode.
    bool open_ = true;
};

Result<void> sweep_clones(const std::string& folder) {
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        if (!is_left_over(at->path().filename().string(), reflink_prefix)) continue;
        fs::remove_all(at->path(), failed);
    }
    if (failed) return io_error(failed.value(), "clear away old clones in " + folder);
    return {};
}

}  // namespace

Result<std::unique_ptr<Moment>> hold_reflink(const std::string& folder) {
    std::error_code failed;
    const std::string path = fs::canonical(folder, failed).string();
    if (failed) return io_error(failed.value(), "look at " + folder);
    struct stat inner {};
    struct stat outer {};
    const std::string parent = fs::path(path).parent_path().string();
    if (::stat(path.c_str(), &inner) != 0 || ::stat(parent.c_str(), &outer) != 0) {
        return io_error(errno, "look at " + path);
    }
    // Beside the folder, so that nothing of it changes; in it where it is a file system's root.
    const std::string place = inner.st_dev == outer.st_dev && path != parent ? parent : path;
    HF_TRY(sweep_clones(place));
    auto moment = std::make_unique<ReflinkMoment>(place + "/" + passing_name(reflink_prefix));
    for (int i = 0; i < clone_tries; ++i) {
        const bool whole = HF_TRY(moment->take(path));
        if (whole) return std::unique_ptr<Moment>(std::move(moment));
        HF_TRY(moment->clear());
    }
    return Error{Errc::Conflict, folder + " changed each time while it was cloned, " +
                                     std::to_string(clone_tries) +
                                     " times; let begin and end pause what writes to it"};
}

}  // namespace holdfast::agent::moment
