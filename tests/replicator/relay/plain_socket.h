// Plain sockets for tests of relays: what a system and its users would hold, without our loop.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/file.h"

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

namespace holdfast::replicator::test {

/// A connection to 127.0.0.1; invalid if nobody listens.
Fd connect_to(std::uint16_t port);
/// False: the connection broke.
bool send_all(const Fd& socket, View bytes);
/// Until the other side ends or `bytes_max` are there. `broken`: it was cut.
struct Received {
    Buffer bytes;
    bool broken = false;
};
Received receive(const Fd& socket, std::size_t bytes_max);
void end_sending(const Fd& socket);

/// Gives back what it gets; ends when the other side has ended. Counts its connections.
class EchoServer {
public:
    EchoServer();
    ~EchoServer();
    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }

private:
    void serve();

    Fd listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_{0};
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace holdfast::replicator::test
