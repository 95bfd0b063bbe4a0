// Tunnel: a duplex byte stream to a partner, over the same port and mutual TLS as everything else.
//
// It carries raw TCP for relays. On the wire it is a WebSocket (RFC 6455) with subprotocol
// "holdfast-relay": binary messages are bytes, of any split; the text message "end" says that this
// side sends no more (half-close), the other direction stays open; the text message "seen" answers
// that all bytes and the end have reached the user. When each side has sent and received both, the
// connection closes with status 1000; any other end is a cut. So on_closed(ok) means delivered.
//
// Thread rule: the loop thread. Memory: at most queue_bytes_max and one write wait to be sent; a
// reader that pauses holds the sender by TCP.
#pragma once

#include "replicator/http/client.h"
#include "replicator/http/exchange.h"

#include <cstddef>
#include <memory>
#include <string>

namespace holdfast::replicator {

class TunnelCore;

/// One end. Letting go cuts it.
class Tunnel {
public:
    static constexpr std::size_t queue_bytes_max = 1u << 20;

    explicit Tunnel(std::shared_ptr<TunnelCore> core) : core_(std::move(core)) {}
    Tunnel(Tunnel&&) noexcept = default;
    Tunnel& operator=(Tunnel&& other) noexcept;
    ~Tunnel();

    /// Queues `bytes`. False: the queue is full; write again in on_room(). Nothing after end().
    bool write(Buffer bytes);
    /// No more will be written; what is queued goes first.
    void end();

    void on_data(Callback<void(View)> data);
    /// The other side sends no more.
    void on_end(Callback<void()> end);
    /// The queue has fallen below half after a refused write().
    void on_room(Callback<void()> room);
    /// Once, last. Ok: both sides had ended and all was delivered. Errors: Unreachable (cut).
    void on_closed(Callback<void(Result<void>)> closed);

    /// No on_data and no on_end until resume().
    void pause();
    void resume();

private:
    // Shared: the connection and the user each end at a time of their own.
    std::shared_ptr<TunnelCore> core_;
};

/// Opens tunnels as a client.
class TunnelDialer {
public:
    /// Errors: Io.
    static Result<std::unique_ptr<TunnelDialer>> make(Loop& loop, const TlsIdentity* identity);
    /// Cuts its tunnels.
    ~TunnelDialer();

    /// `opened` comes once, later: the tunnel, or Unreachable, Denied (wrong server key, or the
    /// server refused), NotFound (no such path). `peer.key` must be set for https.
    void open(const HttpPeer& peer, const std::string& path, Callback<void(Result<Tunnel>)> opened);

private:
    struct State;
    explicit TunnelDialer(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace holdfast::replicator
