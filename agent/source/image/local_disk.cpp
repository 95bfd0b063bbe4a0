#include "agent/source/image/local_disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace holdfast::agent::image {
namespace {

constexpr std::size_t disk_read_bytes = 1 << 20;

}  // namespace

LocalDisk::LocalDisk(std::string path, Fd fd, files::Status status, std::uint64_t bytes)
    : path_(std::move(path)), fd_(std::move(fd)), status_(status), bytes_(bytes) {}

Result<LocalDisk> LocalDisk::open(const std::string& path) {
    Fd fd = HF_TRY(open_file(path, O_RDONLY | O_NONBLOCK));  // Not to wait for a pipe's other end.
    files::Status status{};
    if (const int failed = files::look_at(fd.get(), status); failed != 0) {
        return io_error(failed, "look at " + path);
    }
    std::uint64_t bytes = status.stx_size;
    if (S_ISBLK(status.stx_mode)) {
        if (::ioctl(fd.get(), BLKGETSIZE64, &bytes) != 0) return io_error(errno, "size " + path);
    } else if (!S_ISREG(status.stx_mode)) {
        return Error{Errc::Invalid, path + " is neither an image file nor a block device"};
    }
    (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return LocalDisk(path, std::move(fd), status, bytes);
}

Result<bool> LocalDisk::changed() const {
    files::Status now{};
    if (const int failed = files::look_at(fd_.get(), now); failed != 0) {
        return io_error(failed, "look at " + path_);
    }
    return is_file() && (files::time_ns(now.stx_mtime) != files::time_ns(status_.stx_mtime) ||
                         now.stx_size != status_.stx_size);
}

Result<Region> LocalDisk::region(std::uint64_t at) {
    const auto end_of = [&](off_t found) {
        return std::clamp(static_cast<std::uint64_t>(found), at + 1, bytes_);
    };
    const off_t data = ::lseek(fd_.get(), static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) return Region{bytes_ - at, Region::Kind::Zeros};
    // Devices and some file systems know of no holes: all is data then.
    if (data < 0) return Region{bytes_ - at, Region::Kind::Data};
    if (static_cast<std::uint64_t>(data) > at) {
        return Region{end_of(data) - at, Region::Kind::Zeros};
    }
    const off_t hole = ::lseek(fd_.get(), static_cast<off_t>(at), SEEK_HOLE);
    return Region{(hole < 0 ? bytes_ : end_of(hole)) - at, Region::Kind::Data};
}

Result<void> LocalDisk::read(std::uint64_t at, std::uint64_t length, const Take& take) {
    buffer_.resize(disk_read_bytes);
    const std::uint64_t end = at + length;
    while (at < end) {
        const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), end - at);
        const ssize_t got = ::pread(fd_.get(), buffer_.data(), wanted, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        const std::string where = path_ + " at byte " + std::to_string(at);
        if (got < 0) return io_error(errno, "read " + where);
        if (got == 0) return Error{Errc::Io, "read " + where + ": it became shorter meanwhile"};
        HF_TRY(take(View(buffer_).first(static_cast<std::size_t>(got))));
        at += static_cast<std::uint64_t>(got);
    }
    return {};
}

}  // namespace holdfast::agent::image
