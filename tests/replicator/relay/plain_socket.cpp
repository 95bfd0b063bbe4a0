#include "tests/replicator/relay/plain_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace holdfast::replicator::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

}  // namespace

Fd connect_to(std::uint16_t port) {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in at = loopback(port);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
        return Fd();
    return socket;
}

bool send_all(const Fd& socket, View bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

Received receive(const Fd& socket, std::size_t bytes_max) {
    Received out;
    std::array<std::uint8_t, 65536> piece{};
    while (out.bytes.size() < bytes_max) {
        const ssize_t n = ::recv(socket.get(), piece.data(), piece.size(), 0);
        out.broken = n < 0;
        if (n <= 0) return out;
        out.bytes.insert(out.bytes.end(), piece.begin(), piece.begin() + n);
    }
    return out;
}

void end_sending(const Fd& socket) {
    ::shutdown(socket.get(), SHUT_WR);
}

EchoServer::EchoServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    auto* const generic = reinterpret_cast<sockaddr*>(&at);
    HF_ASSERT(::bind(listener_.get(), generic, size) == 0);
    HF_ASSERT(::listen(listener_.get(), 64) == 0);
    HF_ASSERT(::getsockname(listener_.get(), generic, &size) == 0);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { serve(); });
}

EchoServer::~EchoServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (std::thread& one : threads_) one.join();
}

void EchoServer::serve() {
    for (;;) {
        Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client) return;
        ++connections_;
        threads_.emplace_back([client = std::move(client)] {
            for (;;) {
                const Received got = receive(client, 1);
                if (got.bytes.empty() || !send_all(client, got.bytes)) return;
            }
        });
    }
}

}  // namespace holdfast::replicator::test
