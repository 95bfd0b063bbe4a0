#include "agent/source/landing/share.h"

#include "agent/source/files/open.h"
#include "agent/source/files/status.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <set>

namespace holdfast::agent::landing {
namespace {

constexpr int depth_max = 64;
constexpr std::int64_t ns_per_ms = 1'000'000;

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

/// Names in the folder, sorted as paths are.
Result<std::vector<std::string>> names_in(int folder, const std::string& path) {
    const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseFolder> listing(again < 0 ? nullptr : ::fdopendir(again));
    if (!listing) return io_error(errno, "read the folder " + path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* one = ::readdir(listing.get())) {
        const std::string name = one->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) return io_error(errno, "read the folder " + path);
    std::sort(names.begin(), names.end());
    return names;
}

enum class Closed { Yes, No, Unknown };

/// A read lease is given only while nobody has the file open for writing (fcntl(2), F_SETLEASE).
/// Whoever opens it for writing meanwhile waits until end_lease().
Closed lease(int fd) {
    // The default, SIGIO, would end this process when somebody wants to write.
    if (::fcntl(fd, F_SETSIG, SIGURG) != 0) return Closed::Unknown;
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return Closed::Yes;
    return errno == EAGAIN ? Closed::No : Closed::Unknown;
}

void end_lease(int fd) {
    (void)::fcntl(fd, F_SETLEASE, F_UNLCK);
}

int get_flags(int fd, int& flags) {
    return ::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 ? 0 : errno;
}

int set_immutable(int fd, bool on) {
    int flags = 0;
    if (const int failed = get_flags(fd, flags); failed != 0) return failed;
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0 ? 0 : errno;
}

}  // namespace

struct Share::Survey {
    std::int64_t now_ms;
    bool seal;
    std::vector<LandedFile> files;
};

Result<Share> Share::open(ShareRules rules) {
    Fd root = HF_TRY(open_file(rules.folder, O_RDONLY | O_DIRECTORY));
    return Share(std::move(rules), std::move(root));
}

Result<std::vector<LandedFile>> Share::look(std::int64_t now_ms, bool seal) const {
    Survey survey{now_ms, seal, {}};
    HF_TRY(look_into(root_.get(), "", 0, survey));
    return std::move(survey.files);
}

Result<void> Share::look_into(int folder, const std::string& path, int depth,
                              Survey& survey) const {
    if (depth > depth_max) {
        return Error{Errc::Invalid, path + " is deeper than " + std::to_string(depth_max) +
                                        " folders; exclude it"};
    }
    const std::vector<std::string> names =
        HF_TRY(names_in(folder, rules_.folder + (path.empty() ? "" : "/" + path)));
    const std::set<std::string_view> known(names.begin(), names.end());
    for (const std::string& name : names) {
        const std::string below = path.empty() ? name : path + "/" + name;
        files::Status status{};
        if (files::look_at(folder, name.c_str(), status) != 0) continue;  // It went.
        if (any_matches(rules_.excludes, below, files::is_folder(status))) continue;
        if (files::is_folder(status)) {
            const files::Opened inner = files::open_folder(folder, name.c_str());
            if (inner.failed == 0) HF_TRY(look_into(inner.fd.get(), below, depth + 1, survey));
            continue;
        }
        if (!S_ISREG(status.stx_mode)) continue;
        const files::Opened file = files::open_regular(folder, name.c_str());
        if (file.failed == ENOENT || file.failed == ELOOP) continue;
        if (file.failed != 0) {
            survey.files.push_back({below, status.stx_size, status.stx_ino, 0, FileState::Waiting,
                                    std::strerror(file.failed)});
            continue;
        }
        survey.files.push_back(
            judge(file.fd.get(), below, known.contains(name + rules_.marker), survey));
    }
    return {};
}

LandedFile Share::judge(int fd, std::string path, bool has_marker, const Survey& survey) const {
    LandedFile file;
    file.path = std::move(path);
    files::Status status{};
    if (const int failed = files::look_at(fd, status); failed != 0) {
        file.why = std::strerror(failed);
        return file;
    }
    file.bytes = status.stx_size;
    file.inode = status.stx_ino;
    file.mtime_ms = files::time_ns(status.stx_mtime) / ns_per_ms;
    int flags = 0;
    const int unasked = get_flags(fd, flags);
    if (unasked == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
        file.state = FileState::Sealed;
        return file;
    }
    const Closed closed = lease(fd);
    const auto whole = [&] {
        if (closed == Closed::No) {
            file.why = "it is open for writing";
            return false;
        }
        const bool is_marker = !rules_.marker.empty() && file.path.ends_with(rules_.marker);
        if (is_marker || (!rules_.marker.empty() && has_marker)) return true;
        if (!rules_.marker.empty()) {
            file.why = "there is no " + rules_.marker.substr(0, 40) + " beside it";
            return false;
        }
        const std::int64_t touched_ms =
            std::max(files::time_ns(status.stx_mtime), files::time_ns(status.stx_ctime)) /
            ns_per_ms;
        // What is of the future is judged by a clock that was put back: it waits no longer than
        // else.
        const std::int64_t age_ms = survey.now_ms - touched_ms;
        if (age_ms >= rules_.quiet_ms || age_ms < -rules_.quiet_ms) return true;
        file.why =
            "it was written to less than " + std::to_string(rules_.quiet_ms / 1000) + " s ago";
        return false;
    };
    if (whole()) {
        file.state = FileState::Whole;
        if (rules_.immutable && survey.seal) {
            const int failed = set_immutable(fd, true);
            if (failed == 0) file.state = FileState::Sealed;
            if (failed != 0) file.why = std::strerror(failed);
        }
    }
    if (closed == Closed::Yes) end_lease(fd);
    return file;
}

Result<void> Share::remove(const LandedFile& judged) const {
    const std::string& path = judged.path;
    const std::string where = rules_.folder + "/" + path;
    Fd inner;
    int folder = root_.get();
    std::size_t at = 0;
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', at)) {
        files::Opened next = files::open_folder(folder, path.substr(at, slash - at).c_str());
        if (next.failed != 0) return io_error(next.failed, "open the folder of " + where);
        inner = std::move(next.fd);
        folder = inner.get();
        at = slash + 1;
    }
    const std::string name = path.substr(at);
    const files::Opened file = files::open_regular(folder, name.c_str());
    if (file.failed != 0) return io_error(file.failed, "open " + where);
    files::Status status{};
    if (const int failed = files::look_at(file.fd.get(), status); failed != 0) {
        return io_error(failed, "look at " + where);
    }
    if (status.stx_ino != judged.inode) {
        return Error{Errc::Conflict, "another file is at " + where + " now; nothing is removed"};
    }
    if (const int failed = set_immutable(file.fd.get(), false); failed != 0) {
        return io_error(failed, "make " + where + " mutable");
    }
    if (::unlinkat(folder, name.c_str(), 0) != 0) return io_error(errno, "remove " + where);
    return {};
}

}  // namespace holdfast::agent::landing
