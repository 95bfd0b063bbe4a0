#include "vault/base/file.h"

#include "vault/base/fault.h"
#include "vault/base/temporary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace holdfast {
namespace {

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void Fd::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Error io_error(int errno_value, const std::string& what) {
    Errc code = Errc::Io;
    if (errno_value == ENOENT) code = Errc::NotFound;
    if (errno_value == EACCES || errno_value == EPERM) code = Errc::Denied;
    if (errno_value == ENOSPC || errno_value == EDQUOT) code = Errc::Full;
    return {code, what + ": " + std::strerror(errno_value)};
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0) return io_error(errno, "open " + path);
    return Fd(fd);
}

Result<Buffer> read_file(const std::string& path, std::uint64_t bytes_max) {
    const Fd fd = HF_TRY(open_file(path, O_RDONLY));
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return io_error(errno, "stat " + path);
    if (static_cast<std::uint64_t>(info.st_size) > bytes_max) {
        return Error{Errc::Invalid, path + ": " + std::to_string(info.st_size) +
                                        " bytes, where at most " + std::to_string(bytes_max) +
                                        " are expected"};
    }
    return read_exact(fd, 0, static_cast<std::uint64_t>(info.st_size), path);
}

Result<Buffer> read_exact(const Fd& fd, std::uint64_t offset, std::uint64_t n,
                          const std::string& what) {
    Buffer out(n);
    std::uint64_t at = 0;
    while (at < n) {
        const ssize_t got =
            ::pread(fd.get(), out.data() + at, n - at, static_cast<off_t>(offset + at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(errno, "read " + what);
        if (got == 0) {
            return Error{Errc::Corrupt, "read " + what + ": it ends after " +
                                            std::to_string(offset + at) + " bytes"};
        }
        at += static_cast<std::uint64_t>(got);
    }
    return out;
}

Result<void> write_all(const Fd& fd, View data, const std::string& what) {
    while (!data.empty()) {
        const ssize_t put = ::write(fd.get(), data.data(), data.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return io_error(errno, "write " + what);
        data = data.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

Result<void> sync_file(const Fd& fd, const std::string& what) {
    if (::fsync(fd.get()) != 0) return io_error(errno, "fsync " + what);
    return {};
}

Result<void> sync_folder(const std::string& path) {
    const Fd fd = HF_TRY(open_file(path, O_RDONLY | O_DIRECTORY));
    return sync_file(fd, path);
}

Result<void> write_file_durably(const std::string& path, View data, unsigned mode) {
    const std::string temporary = temporary_beside(path);
    const auto put = [&]() -> Result<void> {
        const Fd fd = HF_TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
        HF_TRY(write_all(fd, data, path));
        HF_TRY(sync_file(fd, path));
        fault_point("file synced, not yet renamed");
        if (::rename(temporary.c_str(), path.c_str()) != 0) {
            return io_error(errno, "rename " + temporary + " to " + path);
        }
        fault_point("file renamed, its folder not yet synced");
        return sync_folder(folder_of(path));
    };
    auto done = put();
    if (!done) ::unlink(temporary.c_str());
    fault_point("file renamed");
    return done;
}

Result<void> make_folders(const std::string& path, unsigned mode) {
    if (path.empty() || path_exists(path)) return {};
    const std::string parent = folder_of(path);
    HF_TRY(make_folders(parent, mode));
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
        return io_error(errno, "mkdir " + path);
    fault_point("folder made, its parent not yet synced");
    return sync_folder(parent);
}

bool path_exists(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

}  // namespace holdfast
