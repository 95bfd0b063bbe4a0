#include "agent/source/journal/socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::agent::journal {
namespace {

constexpr int waiting_max = 16;

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return Error{Errc::Invalid, path + " is too long for a socket: choose a shorter --home"};
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Result<Fd> new_socket() {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return io_error(errno, "make a socket");
    return socket;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

std::string socket_path(const std::string& run_folder, const std::string& system) {
    return run_folder + "/journal-" + system + ".sock";
}

Result<Fd> listen_at(const std::string& path) {
    const sockaddr_un address = HF_TRY(address_of(path));
    if (connect_to(path)) return Error{Errc::Conflict, "another process listens at " + path};
    struct stat found {};
    if (::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode)) {
        return Error{Errc::Conflict, path + " exists and is no socket"};
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(errno, "remove " + path);
    Fd socket = HF_TRY(new_socket());
    // The mode of an unbound socket limits that of its file.
    if (::fchmod(socket.get(), 0600) != 0 ||
        ::bind(socket.get(), generic(address), sizeof address) != 0 ||
        ::listen(socket.get(), waiting_max) != 0) {
        return io_error(errno, "listen at " + path);
    }
    return socket;
}

Result<Fd> connect_to(const std::string& path) {
    const sockaddr_un address = HF_TRY(address_of(path));
    Fd socket = HF_TRY(new_socket());
    if (::connect(socket.get(), generic(address), sizeof address) == 0) return socket;
    if (errno == ENOENT || errno == ECONNREFUSED) {
        return Error{Errc::Unreachable, "the journal does not run: nobody listens at " + path};
    }
    return io_error(errno, "connect to " + path);
}

Result<void> limit_waiting(const Fd& socket, int seconds) {
    timeval limit{seconds, 0};
    for (const int which : {SO_RCVTIMEO, SO_SNDTIMEO}) {
        if (::setsockopt(socket.get(), SOL_SOCKET, which, &limit, sizeof limit) != 0) {
            return io_error(errno, "limit a socket's waiting");
        }
    }
    return {};
}

}  // namespace holdfast::agent::journal
