#include "agent/cli/passphrase.h"

#include "agent/cli/terminal.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace holdfast::agent::cli {
namespace {

/// One line from a descriptor, byte by byte, straight into locked memory.
Result<vault::Secret> read_line(int fd, const std::string& what) {
    vault::Secret line(passphrase_bytes_max);
    std::size_t length = 0;
    for (;;) {
        std::uint8_t byte = 0;
        const ssize_t got = ::read(fd, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(errno, "read " + what);
        if (got == 0 || byte == '\n') break;
        if (length == passphrase_bytes_max) return Error{Errc::Invalid, what + ": a line too long"};
        line.data()[length++] = byte;
    }
    if (length == 0) return Error{Errc::Invalid, what + ": the passphrase is empty"};
    return vault::Secret::copy_of(line.view().first(length));
}

/// Keeps the terminal from showing what is typed, for as long as it lives.
class NoEcho {
public:
    NoEcho() {
        on_ = tcgetattr(STDIN_FILENO, &before_) == 0;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (on_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    ~NoEcho() {
        if (on_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

private:
    termios before_{};
    bool on_ = false;
};

}  // namespace

Result<vault::Secret> read_passphrase(const std::string& path) {
    const Fd fd = HF_TRY(open_file(path, O_RDONLY));
    return read_line(fd.get(), path);
}

Result<vault::Secret> get_passphrase(const std::string& file, const std::string& prompt) {
    if (!file.empty()) return read_passphrase(file);
    if (!stdin_is_terminal()) {
        return Error{Errc::Invalid, prompt +
                                        ": there is no terminal to ask on; give "
                                        "--passphrase-file FILE"};
    }
    std::fprintf(stderr, "%s: ", prompt.c_str());
    const NoEcho quiet;
    auto line = read_line(STDIN_FILENO, "terminal");
    std::fputc('\n', stderr);
    return line;
}

}  // namespace holdfast::agent::cli
