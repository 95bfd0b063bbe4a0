#include "agent/source/landing/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace holdfast::agent::landing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t what_counts =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW;

Result<void> watch_folder(int fd, const std::string& path) {
    if (::inotify_add_watch(fd, path.c_str(), what_counts) >= 0) return {};
    if (errno == ENOENT || errno == ENOTDIR) return {};  // It went.
    if (errno == ENOSPC) {
        return Error{Errc::Full,
                     "watch " + path + ": no more watches; raise fs.inotify.max_user_watches"};
    }
    return io_error(errno, "watch " + path);
}

}  // namespace

Result<ShareWatch> ShareWatch::open(const std::string& folder) {
    HF_TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
    Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!fd) return io_error(errno, "watch " + folder);
    ShareWatch watch(folder, std::move(fd));
    HF_TRY(watch.watch_all());
    return watch;
}

Result<void> ShareWatch::watch_all() {
    HF_TRY(watch_folder(fd_.get(), folder_ + "/."));
    std::error_code failed;
    fs::recursive_directory_iterator at(folder_, fs::directory_options::skip_permission_denied,
                                        failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        std::error_code ignored;
        if (at->is_symlink(ignored) || !at->is_directory(ignored)) continue;
        HF_TRY(watch_folder(fd_.get(), at->path().string()));
    }
    return {};  // A folder that goes meanwhile ends the walk; the next event begins it anew.
}

Result<bool> ShareWatch::wait(int ms_max) {
    pollfd watched{fd_.get(), POLLIN, 0};
    const int ready = ::poll(&watched, 1, ms_max);
    if (ready < 0 && errno != EINTR) return io_error(errno, "wait for " + folder_);
    if (ready <= 0) return false;
    bool folder_came = false;
    alignas(inotify_event) std::array<char, 16'384> events{};
    for (;;) {
        const ssize_t got = ::read(fd_.get(), events.data(), events.size());
        if (got <= 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
            folder_came = folder_came || (event->mask & (IN_ISDIR | IN_Q_OVERFLOW)) != 0;
            at += sizeof(inotify_event) + event->len;
        }
    }
    if (folder_came) HF_TRY(watch_all());
    return true;
}

}  // namespace holdfast::agent::landing
