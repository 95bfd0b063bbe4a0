// Exchange: one request and its answer between a connection and a handler. Knows HTTP's framing,
// not the library that moves the bytes.
//
// Two sides hold it: the connection, which feeds the body and drains the answer, and the handles
// (exchange.h). After lose() or finish() it is cut off from the wire: handle calls do nothing, and
// every callback has been let go, which also breaks the circle of an exchange whose callbacks own
// handles to it.
#pragma once

#include "replicator/http/exchange.h"

#include <cstdint>
#include <deque>

namespace holdfast::replicator {

/// What an exchange asks of its connection. Neither call enters a handler.
class Wire {
public:
    virtual ~Wire() = default;
    /// There may be something to send, deliver or read.
    virtual void poke() = 0;
    /// Close now, without finishing.
    virtual void cut() = 0;
};

struct ExchangeShape {
    bool head = false;         // No body in the answer, whatever its length says.
    bool http_1_1 = true;      // Chunks are understood.
    bool keep_alive = true;    // The client would go on using the connection.
    std::uint64_t length = 0;  // Of the request body.
    bool length_known = true;  // False: the body cannot be skipped, so the connection must close.
};

class Exchange {
public:
    /// An unread rest of at most this is read and dropped to keep the connection; for a longer one
    /// the answer says "connection: close".
    static constexpr std::uint64_t skip_bytes_max = 1u << 20;

    Exchange(Wire& wire, ExchangeShape shape) : wire_(&wire), shape_(shape) {}

    // For the handles.
    void answer(HttpResponse response);
    void start_stream(unsigned status, const HttpHeaders& headers,
                      std::optional<std::uint64_t> length);
    bool write(Buffer piece);
    void end_stream();
    void drop_stream();
    bool answered() const { return answered_; }
    bool gone() const { return wire_ == nullptr; }
    void discard_body();
    void set_paused(bool paused);
    std::uint64_t length() const { return shape_.length; }

    // Set by the handles, called by pump(), drain() and lose().
    Callback<void(View)> on_piece;
    Callback<void()> on_body_end;
    Callback<void()> on_body_gone;
    Callback<void()> on_room;
    Callback<void()> on_gone;
    void poke();

    // For the connection.
    void take_piece(View piece);
    /// Delivers what is there and may be delivered.
    void pump();
    bool can_pump() const;
    /// The handler can take, or does not care about, more of the body.
    bool wants_body() const;
    bool body_over() const { return received_ == shape_.length && shape_.length_known; }
    bool has_output() const { return !queue_.empty(); }
    /// Moves up to `max` bytes of the answer to the end of `out`; may call on_room.
    void drain(Buffer& out, std::size_t max);
    /// All of the answer was drained.
    bool done() const { return ended_ && queue_.empty(); }
    bool closes() const { return closes_; }
    void lose();
    void finish();

private:
    void queue_head(unsigned status, const HttpHeaders& headers,
                    std::optional<std::uint64_t> length);
    void push(Buffer bytes);
    void forget();

    Wire* wire_;
    ExchangeShape shape_;

    std::uint64_t received_ = 0;
    Buffer stash_;  // A piece that came while the handler was not ready; at most one.
    bool paused_ = false;
    bool discarding_ = false;
    bool end_told_ = false;

    std::deque<Buffer> queue_;
    std::size_t queue_bytes_ = 0;
    std::size_t front_used_ = 0;
    std::uint64_t promised_ = 0;  // Bytes still to come of a stream with a length.
    bool answered_ = false;
    bool streaming_ = false;
    bool sized_ = false;
    bool chunked_ = false;
    bool bodyless_ = false;
    bool ended_ = false;
    bool closes_ = false;
    bool refused_ = false;
};

}  // namespace holdfast::replicator
