#include "agent/host/program/door_process.h"

#include "agent/host/program/sealing.h"
#include "vault/base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <thread>

namespace holdfast::agent {
namespace {

constexpr int backlog = 128;
constexpr std::size_t piece_bytes = 64 << 10;
constexpr const char* nobody = "nobody";

/// An IPv4 or IPv6 address with its port, as the kernel takes it.
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<Address> address_of(const std::string& text, std::uint16_t port) {
    Address out;
    auto* four = reinterpret_cast<sockaddr_in*>(&out.storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&out.storage);
    if (::inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        out.length = sizeof *four;
    } else if (::inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        out.length = sizeof *six;
    } else {
        return Error{Errc::Invalid, text + ": expected an address"};
    }
    return out;
}

Result<Fd> listen_on(const Address& address, const std::string& what) {
    Fd listener(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!listener) return io_error(errno, "make a socket");
    const int on = 1;
    (void)::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(listener.get(), address.get(), address.length) != 0) {
        if (errno == EADDRINUSE) return Error{Errc::Conflict, what + " is taken"};
        return io_error(errno, "listen on " + what);
    }
    if (::listen(listener.get(), backlog) != 0) return io_error(errno, "listen on " + what);
    return listener;
}

Result<std::uint16_t> port_of(const Fd& listener) {
    Address own;
    own.length = sizeof own.storage;
    if (::getsockname(listener.get(), own.get(), &own.length) != 0) {
        return io_error(errno, "look up the port");
    }
    const bool four = own.storage.ss_family == AF_INET;
    return ntohs(four ? reinterpret_cast<const sockaddr_in*>(&own.storage)->sin_port
                      : reinterpret_cast<const sockaddr_in6*>(&own.storage)->sin6_port);
}

/// One direction of a connection.
struct Flow {
    int from = -1;
    int to = -1;
    std::size_t start = 0;
    std::size_t end = 0;
    bool finished = false;
    std::array<char, piece_bytes> bytes{};

    bool wants_input() const { return !finished && start == end; }
    bool wants_room() const { return start < end; }

    /// False: the connection is broken.
    bool take() {
        const ssize_t got = ::read(from, bytes.data(), bytes.size());
        if (got < 0) return errno == EINTR || errno == EAGAIN;
        start = 0;
        end = static_cast<std::size_t>(got);
        if (got == 0) {
            finished = true;
            (void)::shutdown(to, SHUT_WR);  // The other way may go on.
        }
        return true;
    }
    bool give() {
        const ssize_t done = ::send(to, bytes.data() + start, end - start, MSG_NOSIGNAL);
        if (done < 0) return errno == EINTR || errno == EAGAIN;
        start += static_cast<std::size_t>(done);
        return true;
    }
};

void carry(const Fd& outside, const Fd& inside) {
    const auto there = std::make_unique<Flow>();
    const auto back = std::make_unique<Flow>();
    there->from = back->to = outside.get();
    there->to = back->from = inside.get();
    while (!there->finished || !back->finished) {
        const auto events = [](const Flow& in, const Flow& out) {
            return static_cast<short>((in.wants_input() ? POLLIN : 0) |
                                      (out.wants_room() ? POLLOUT : 0));
        };
        std::array<pollfd, 2> watched{
            {{outside.get(), events(*there, *back), 0}, {inside.get(), events(*back, *there), 0}}};
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
        const auto ready = [&](int at, short wanted) {
            return (watched[static_cast<std::size_t>(at)].revents & (wanted | POLLHUP | POLLERR)) !=
                   0;
        };
        if (there->wants_input() && ready(0, POLLIN) && !there->take()) return;
        if (back->wants_input() && ready(1, POLLIN) && !back->take()) return;
        if (there->wants_room() && ready(1, POLLOUT) && !there->give()) return;
        if (back->wants_room() && ready(0, POLLOUT) && !back->give()) return;
        // One end is gone for good, and nothing that it sent is left to read.
        const bool broken = ((watched[0].revents | watched[1].revents) & POLLERR) != 0;
        if (broken) return;
    }
}

void serve(Fd outside, const Address& target) {
    const Fd inside(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!inside || ::connect(inside.get(), target.get(), target.length) != 0) return;
    for (const Fd* end : {static_cast<const Fd*>(&outside), &inside}) {
        const int on = 1;
        (void)::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)::setsockopt(end->get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        (void)::fcntl(end->get(), F_SETFL, O_NONBLOCK);
    }
    carry(outside, inside);
}

}  // namespace

Result<int> run_door(pid_t init, const DoorOrder& order, const std::string& port_file) {
    const std::string what = order.address + " port " + std::to_string(order.port);
    const Fd listener = HF_TRY(listen_on(HF_TRY(address_of(order.address, order.port)), what));
    const std::string port = std::to_string(HF_TRY(port_of(listener)));
    HF_TRY(write_file_durably(port_file, as_view(port)));
    const Address target = HF_TRY(address_of("127.0.0.1", order.room_port));
    const User user = HF_TRY(find_user(nobody));
    HF_TRY(join_network(init));  // Sockets made from here on are the room's.
    HF_TRY(drop_rights(user));
    std::printf("ready\n");
    std::fflush(stdout);
    static std::atomic<std::size_t> open_connections{0};
    for (;;) {
        Fd outside(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!outside && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (!outside) return io_error(errno, "accept on " + what);
        if (open_connections >= door_connections_max) continue;
        ++open_connections;
        std::thread([connection = std::move(outside), target]() mutable {
            serve(std::move(connection), target);
            --open_connections;
        }).detach();
    }
}

}  // namespace holdfast::agent
