// Files: an owned descriptor, whole reads with a limit, and the one way to make a file durable.
#pragma once

#include "vault/base/bytes.h"

#include <cstdint>
#include <string>
#include <utility>

namespace holdfast {

/// Owns a file descriptor.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();

private:
    int fd_ = -1;
};

/// The Error for `errno_value`: Full for ENOSPC and EDQUOT, NotFound for ENOENT, Denied for EACCES
/// and EPERM, else Io. `what` is the action with its object: "open /etc/holdfast/node.toml".
Error io_error(int errno_value, const std::string& what);

/// Opens `path` with O_CLOEXEC added. Errors: NotFound, Denied, Full, Io.
Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0600);

/// All of `path`. Errors: NotFound, Invalid (longer than `bytes_max`), Io.
Result<Buffer> read_file(const std::string& path, std::uint64_t bytes_max);

/// Exactly `n` bytes at `offset`. Errors: Corrupt (the file ends before), Io.
Result<Buffer> read_exact(const Fd& fd, std::uint64_t offset, std::uint64_t n,
                          const std::string& what);

/// Writes all of `data` at the descriptor's position. Errors: Full, Io.
Result<void> write_all(const Fd& fd, View data, const std::string& what);

/// fsync of `fd`. Errors: Full, Io.
Result<void> sync_file(const Fd& fd, const std::string& what);

/// fsync of the folder `path`, so that names made in it last. Errors: Io.
Result<void> sync_folder(const std::string& path);

/// Makes `path` hold `data` whole or not at all: temporary file, fsync, rename, folder fsync.
/// A file that was there is replaced. Errors: Full, Io; the temporary file is removed.
Result<void> write_file_durably(const std::string& path, View data, unsigned mode = 0600);

/// mkdir -p; new folders get `mode` and their parents are synced. Errors: Full, Io.
Result<void> make_folders(const std::string& path, unsigned mode = 0700);

bool path_exists(const std::string& path);

}  // namespace holdfast
