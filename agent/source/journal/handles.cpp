#include "agent/source/journal/handles.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast::agent::journal {
namespace {

/// struct file_handle with room for the longest.
struct alignas(file_handle) HandleBytes {
    std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> bytes{};
    file_handle* get() { return reinterpret_cast<file_handle*>(bytes.data()); }
};

bool same_inode(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Result<std::string> path_of(int fd) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t got = ::readlink(link.c_str(), path.data(), path.size());
    if (got < 0) return io_error(errno, "read " + link);
    return std::string(path.data(), static_cast<std::size_t>(got));
}

Result<std::optional<HandlePlace>> place_of(int folder, std::string_view handle) {
    HandleBytes bytes;
    if (handle.size() < sizeof(int) || handle.size() - sizeof(int) > MAX_HANDLE_SZ) {
        return Error{Errc::Io, "the kernel named an inode in a form that is not known"};
    }
    std::memcpy(&bytes.get()->handle_type, handle.data(), sizeof(int));
    bytes.get()->handle_bytes = static_cast<unsigned>(handle.size() - sizeof(int));
    std::memcpy(bytes.get()->f_handle, handle.data() + sizeof(int), bytes.get()->handle_bytes);
    const Fd opened(::open_by_handle_at(folder, bytes.get(), O_PATH | O_CLOEXEC));
    if (!opened && (errno == ESTALE || errno == ENOENT)) return std::optional<HandlePlace>();
    if (!opened) return io_error(errno, "look up a file that changed");
    struct stat about {};
    if (::fstat(opened.get(), &about) != 0) return io_error(errno, "look at a file that changed");
    if (about.st_nlink == 0) return std::optional<HandlePlace>();
    HandlePlace place;
    place.links = about.st_nlink;
    std::string path = HF_TRY(path_of(opened.get()));
    // A file that nobody has looked up by name has no path for the kernel; then this is another's.
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0 && same_inode(about, there)) {
        place.path = std::move(path);
    }
    return std::optional<HandlePlace>(std::move(place));
}

Result<std::optional<std::string>> handle_of(const std::string& path) {
    HandleBytes bytes;
    bytes.get()->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    if (::name_to_handle_at(AT_FDCWD, path.c_str(), bytes.get(), &mount, AT_SYMLINK_FOLLOW) != 0) {
        if (errno == ENOENT || errno == ESRCH) return std::optional<std::string>();
        return io_error(errno, "look up " + path);
    }
    std::string handle(sizeof(int), '\0');
    std::memcpy(handle.data(), &bytes.get()->handle_type, sizeof(int));
    handle.append(reinterpret_cast<const char*>(bytes.get()->f_handle), bytes.get()->handle_bytes);
    return std::optional<std::string>(std::move(handle));
}

}  // namespace holdfast::agent::journal
