// TcpStream and TcpListener: plain TCP on the loop, for relays.
//
// A stream has the handles of a Tunnel (replicator/http/tunnel.h), so that one can be carried over
// the other: write() queues and says when there is enough, pause() holds the sender by TCP, each
// direction ends by itself. Keep-alive finds out in about a minute that the other end is gone.
//
// Thread rule: the loop thread. Memory: at most queue_bytes_max and one write wait to be sent, and
// one piece of 64 KiB is read at a time. A callback may let go of the stream that called it.
#pragma once

#include "replicator/loop/loop.h"
#include "replicator/loop/tcp_address.h"
#include "vault/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace holdfast::replicator {

/// One end. Letting go before both directions have ended is a cut: the other end sees a reset.
class TcpStream {
public:
    static constexpr std::size_t queue_bytes_max = 1u << 20;

    /// May be written to at once; whether it connects is told by on_data or on_closed.
    /// Errors: Invalid (no numeric address), Io.
    static Result<TcpStream> connect(Loop& loop, const TcpAddress& to);

    /// Queues `bytes`. False: the queue is full; write again in on_room(). Nothing after end().
    bool write(Buffer bytes);
    /// No more will be written; what is queued goes first.
    void end();

    void on_data(Callback<void(View)> data);
    /// The other side sends no more.
    void on_end(Callback<void()> end);
    /// The queue has fallen below half after a refused write().
    void on_room(Callback<void()> room);
    /// Once, last. Ok: both sides had ended. Errors: Unreachable (no connection, or a cut).
    void on_closed(Callback<void(Result<void>)> closed);

    /// No on_data and no on_end until resume(). A stream begins resumed.
    void pause();
    void resume();

private:
    friend class TcpListener;
    struct State;
    struct StateCloser {
        void operator()(State* state) const noexcept;
    };
    explicit TcpStream(State* state) : state_(state) {}

    std::unique_ptr<State, StateCloser> state_;
};

class TcpListener {
public:
    /// Calls `accepted` for each connection. Port 0 takes any free one. Errors: Invalid (no numeric
    /// address), Conflict (the port is taken), NotFound (this machine does not have the address),
    /// Denied, Io.
    static Result<TcpListener> listen(Loop& loop, const TcpAddress& at,
                                      Callback<void(TcpStream)> accepted);

    std::uint16_t port() const;

private:
    struct State;
    struct StateCloser {
        void operator()(State* state) const noexcept;
    };
    explicit TcpListener(State* state) : state_(state) {}

    std::unique_ptr<State, StateCloser> state_;
};

}  // namespace holdfast::replicator
