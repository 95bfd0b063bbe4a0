#include "replicator/http/server.h"

#include "replicator/http/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::replicator {

namespace {

constexpr int backlog = 128;

// A path, and which file it was when we made it: another process may have replaced it since.
struct UnixPath {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
};

struct TcpAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Result<TcpAddress> parse_address(const std::string& text, std::uint16_t port) {
    TcpAddress address;
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        address.size = sizeof v4;
        return address;
    }
    if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        address.size = sizeof v6;
        return address;
    }
    return Error{Errc::Invalid, "listen on " + text + ": expected an IPv4 or IPv6 address"};
}

Error listen_error(const std::string& where) {
    const int why = errno;
    if (why == EADDRINUSE) {
        return {Errc::Conflict, "listen on " + where + ": something listens there already"};
    }
    return io_error(why, "listen on " + where);
}

Result<Fd> listen_at(const TcpAddress& address, const std::string& where) {
    Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return listen_error(where);
    const int on = 1;
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
            0 ||
        ::listen(socket.get(), backlog) != 0) {
        return listen_error(where);
    }
    return socket;
}

Result<std::uint16_t> port_of(const Fd& socket) {
    TcpAddress bound;
    bound.size = sizeof bound.storage;
    if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
        return listen_error("a port");
    }
    const bool v4 = bound.storage.ss_family == AF_INET;
    return ntohs(v4 ? reinterpret_cast<const sockaddr_in&>(bound.storage).sin_port
                    : reinterpret_cast<const sockaddr_in6&>(bound.storage).sin6_port);
}

// Only a socket at which nobody answers is removed.
Result<void> remove_stale(const sockaddr_un& address) {
    struct stat found {};
    if (::lstat(address.sun_path, &found) != 0) return {};
    if (!S_ISSOCK(found.st_mode)) {
        return Error{Errc::Conflict, std::string(address.sun_path) + " exists and is no socket"};
    }
    const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe) return listen_error(address.sun_path);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(probe.get(), generic, sizeof address) == 0 || errno != ECONNREFUSED) {
        return Error{Errc::Conflict, std::string("listen on ") + address.sun_path +
                                         ": another process listens there; stop it first"};
    }
    if (::unlink(address.sun_path) != 0) return io_error(errno, address.sun_path);
    return {};
}

Result<Fd> listen_at(const sockaddr_un& address, unsigned mode) {
    const char* const path = address.sun_path;
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // The mode of an unbound socket limits that of its file, so there is no moment at which the
    // file is open to all; chmod then adds what the umask took.
    if (!socket || ::fchmod(socket.get(), mode) != 0 ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path, mode) != 0 || ::listen(socket.get(), backlog) != 0) {
        return listen_error(path);
    }
    return socket;
}

}  // namespace

struct HttpServer::State {
    Loop* loop = nullptr;
    ServerShared shared;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<UnixPath> paths;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::make(Loop& loop, Router router,
                                                     ServerOptions options) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->shared.router = std::move(router);
    state->shared.options = std::move(options);
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() {
    for (const UnixPath& ours : state_->paths) {
        struct stat found {};
        const bool same = ::lstat(ours.path.c_str(), &found) == 0 && found.st_dev == ours.device &&
                          found.st_ino == ours.inode;
        if (same) ::unlink(ours.path.c_str());
    }
    for (auto& listener : state_->listeners) {
        listener->close();
        state_->loop->keep(std::move(listener));
    }
}

Result<std::uint16_t> HttpServer::listen_tcp(const std::string& address, std::uint16_t port,
                                             const TlsIdentity& identity,
                                             ClientCertificate client) {
    const std::string where = address + " port " + std::to_string(port);
    Fd socket = HF_TRY(listen_at(HF_TRY(parse_address(address, port)), where));
    const std::uint16_t taken = HF_TRY(port_of(socket));
    state_->listeners.push_back(HF_TRY(Listener::make(
        *state_->loop, state_->shared, std::move(socket), ListenerTls{identity.copy(), client})));
    return taken;
}

Result<void> HttpServer::listen_unix(const std::string& path, unsigned mode) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return Error{Errc::Invalid, "a socket's path has 1 to 107 bytes: " + path};
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    HF_TRY(remove_stale(address));
    Fd socket = HF_TRY(listen_at(address, mode));
    struct stat made {};
    if (::lstat(path.c_str(), &made) != 0) return io_error(errno, path);
    state_->paths.push_back({path, made.st_dev, made.st_ino});
    state_->listeners.push_back(
        HF_TRY(Listener::make(*state_->loop, state_->shared, std::move(socket), std::nullopt)));
    return {};
}

std::size_t HttpServer::connection_count() const {
    return state_->shared.connections;
}

}  // namespace holdfast::replicator
