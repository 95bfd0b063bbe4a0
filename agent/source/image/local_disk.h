// LocalDisk: an image file or a block device of this machine.
#pragma once

#include "agent/source/files/status.h"
#include "agent/source/image/input.h"
#include "vault/base/file.h"

#include <string>

namespace holdfast::agent::image {

class LocalDisk final : public Input {
public:
    /// A link is followed. Errors: NotFound, Denied, Invalid (neither file nor block device), Io.
    static Result<LocalDisk> open(const std::string& path);

    bool is_file() const { return S_ISREG(status_.stx_mode); }
    /// As it was when it was opened.
    const files::Status& status() const { return status_; }
    /// Whether a file has been written to since it was opened. Devices do not tell. Errors: Io.
    Result<bool> changed() const;

    std::uint64_t bytes() const override { return bytes_; }
    Result<Region> region(std::uint64_t at) override;
    Result<void> read(std::uint64_t at, std::uint64_t length, const Take& take) override;

private:
    LocalDisk(std::string path, Fd fd, files::Status status, std::uint64_t bytes);

    std::string path_;
    Fd fd_;
    files::Status status_;
    std::uint64_t bytes_;
    Buffer buffer_;
};

}  // namespace holdfast::agent::image
