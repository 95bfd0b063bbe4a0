// Splice: a TCP connection and a tunnel as one, both ways, each direction ending by itself.
//
// The slower end holds the faster one; what waits in between is bounded by their queues. A cut of
// either end cuts the other. Thread rule: the loop thread.
#pragma once

#include "replicator/http/tunnel.h"
#include "replicator/loop/tcp.h"

#include <optional>

namespace holdfast::replicator {

class Splice {
public:
    /// Nothing is read from `tcp` before join().
    explicit Splice(TcpStream tcp);
    Splice(const Splice&) = delete;
    Splice& operator=(const Splice&) = delete;

    /// Called once, last: all was delivered, or why not. May let go of the splice.
    void on_over(Callback<void(Result<void>)> over) { over_ = std::move(over); }
    void join(Tunnel tunnel);

private:
    void wire();
    void closed(bool& side, Result<void> why);
    void tell(Result<void> why);

    TcpStream tcp_;
    std::optional<Tunnel> tunnel_;
    Callback<void(Result<void>)> over_;
    bool tcp_closed_ = false;
    bool tunnel_closed_ = false;
};

}  // namespace holdfast::replicator
