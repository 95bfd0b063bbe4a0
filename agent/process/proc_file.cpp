#include "agent/process/proc_file.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace holdfast::agent {

Result<std::string> read_proc_file(const std::string& path) {
    const Fd file = HF_TRY(open_file(path, O_RDONLY));
    std::string text;
    std::array<char, 16 << 10> piece{};
    for (;;) {
        const ssize_t got = ::read(file.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(errno, "read " + path);
        if (got == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
        if (text.size() > proc_file_bytes_max) return Error{Errc::Invalid, path + " is too long"};
    }
}

Result<std::string> boot_id() {
    std::string text = HF_TRY(read_proc_file("/proc/sys/kernel/random/boot_id"));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace holdfast::agent
