#include "replicator/loop/tcp.h"

#include <netinet/in.h>

#include <array>

namespace holdfast::replicator {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr int backlog = 128;
constexpr unsigned keep_alive_seconds = 30;

using SocketAddress = std::unique_ptr<sockaddr_storage>;

Result<SocketAddress> socket_address(const TcpAddress& at) {
    auto out = std::make_unique<sockaddr_storage>();
    const char* const text = at.address.c_str();
    if (uv_ip4_addr(text, at.port, reinterpret_cast<sockaddr_in*>(out.get())) == 0 ||
        uv_ip6_addr(text, at.port, reinterpret_cast<sockaddr_in6*>(out.get())) == 0) {
        return out;
    }
    return Error{Errc::Invalid, "\"" + at.address + "\" is no numeric address"};
}

Error listen_error(int status, const TcpAddress& at) {
    const std::string where = at.address + " port " + std::to_string(at.port);
    switch (status) {
        case UV_EADDRINUSE:
            return {Errc::Conflict, where + " is taken by another process"};
        case UV_EADDRNOTAVAIL:
            return {Errc::NotFound, "this machine does not have the address of " + where};
        case UV_EACCES:
            return {Errc::Denied, "this process may not listen on " + where};
        default:
            return {Errc::Io, where + ": " + uv_strerror(status)};
    }
}

void set_up(uv_tcp_t& handle) {
    uv_tcp_nodelay(&handle, 1);
    uv_tcp_keepalive(&handle, 1, keep_alive_seconds);
}

/// Runs a callback that may replace itself, or let go of its owner.
template <class Function, class... Args>
void run_kept(Function& function, const bool& let_go, Args&&... args) {
    if (!function) return;
    auto running = std::move(function);
    running(std::forward<Args>(args)...);
    if (!function && !let_go) function = std::move(running);
}

}  // namespace

// The handle is the first thing in it, and closing frees all of it.
struct TcpStream::State {
    uv_tcp_t handle{};
    uv_connect_t connecting{};
    uv_shutdown_t shutting{};
    Callback<void(View)> on_data;
    Callback<void()> on_end;
    Callback<void()> on_room;
    Callback<void(Result<void>)> on_closed;
    Buffer room;
    std::size_t queue_bytes = 0;
    bool connected = false;
    bool reading = false;
    bool paused = false;
    bool refused = false;
    bool ending = false;    // end() was called.
    bool shut = false;      // The request for it was made,
    bool end_sent = false;  // and is through.
    bool peer_ended = false;
    bool closed = false;
    bool let_go = false;

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
    void begin();
    void read();
    void stop_reading();
    void got(ssize_t count);
    void sent(std::size_t bytes, int status);
    void shut_down();
    void close_if_over();
    void fail(int status);
    void tell_closed(Result<void> why);
};

namespace {

struct Write {
    uv_write_t request{};
    Buffer bytes;
};

}  // namespace

void TcpStream::State::begin() {
    connected = true;
    set_up(handle);
    read();
    shut_down();
}

void TcpStream::State::read() {
    if (!connected || reading || paused || peer_ended || closed || let_go) return;
    const auto room_for = [](uv_handle_t* raw, std::size_t, uv_buf_t* out) {
        Buffer& place = static_cast<State*>(raw->data)->room;
        place.resize(read_bytes);
        *out = uv_buf_init(reinterpret_cast<char*>(place.data()), read_bytes);
    };
    const auto arrived = [](uv_stream_t* raw, ssize_t count, const uv_buf_t*) {
        static_cast<State*>(raw->data)->got(count);
    };
    reading = uv_read_start(stream(), room_for, arrived) == 0;
}

void TcpStream::State::stop_reading() {
    if (reading) uv_read_stop(stream());
    reading = false;
}

void TcpStream::State::got(ssize_t count) {
    if (let_go || closed || count == 0) return;
    if (count > 0) {
        return run_kept(on_data, let_go, View(room).first(static_cast<std::size_t>(count)));
    }
    stop_reading();
    if (count != UV_EOF) return fail(static_cast<int>(count));
    peer_ended = true;
    run_kept(on_end, let_go);
    close_if_over();
}

void TcpStream::State::sent(std::size_t bytes, int status) {
    queue_bytes -= bytes;
    if (let_go || closed) return;
    if (status < 0) return fail(status);
    if (!refused || queue_bytes > queue_bytes_max / 2) return;
    refused = false;
    run_kept(on_room, let_go);
}

void TcpStream::State::shut_down() {
    if (!connected || !ending || shut || closed) return;
    const auto done = [](uv_shutdown_t* request, int status) {
        auto* const state = static_cast<State*>(request->handle->data);
        if (state->let_go || state->closed) return;
        if (status < 0) return state->fail(status);
        state->end_sent = true;
        state->close_if_over();
    };
    shut = true;
    if (const int status = uv_shutdown(&shutting, stream(), done); status < 0) fail(status);
}

void TcpStream::State::close_if_over() {
    if (end_sent && peer_ended && !let_go && !closed) tell_closed({});
}

void TcpStream::State::fail(int status) {
    tell_closed(Error{Errc::Unreachable, uv_strerror(status)});
}

void TcpStream::State::tell_closed(Result<void> why) {
    closed = true;
    stop_reading();
    if (const auto running = std::move(on_closed)) running(std::move(why));
}

// What was cut must not look ended: so a reset, where libuv can.
void TcpStream::StateCloser::operator()(State* state) const noexcept {
    state->let_go = true;
    const auto data = std::move(state->on_data);
    const auto end = std::move(state->on_end);
    const auto room = std::move(state->on_room);
    const auto closed = std::move(state->on_closed);
    const auto freed = [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); };
    const bool whole = state->end_sent && state->peer_ended;
    if (!whole && state->connected && uv_tcp_close_reset(&state->handle, freed) == 0) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&state->handle), freed);
}

Result<TcpStream> TcpStream::connect(Loop& loop, const TcpAddress& to) {
    const SocketAddress address = HF_TRY(socket_address(to));
    auto made = std::make_unique<State>();
    if (const int status = uv_tcp_init(&loop.raw(), &made->handle); status < 0) {
        return uv_error(status);
    }
    made->handle.data = made.get();
    TcpStream stream(made.release());
    const auto done = [](uv_connect_t* request, int status) {
        auto* const state = static_cast<State*>(request->handle->data);
        if (state->let_go) return;
        if (status < 0) return state->fail(status);
        state->begin();
    };
    State& state = *stream.state_;
    const int status = uv_tcp_connect(&state.connecting, &state.handle,
                                      reinterpret_cast<const sockaddr*>(address.get()), done);
    if (status < 0) return uv_error(status);
    return stream;
}

bool TcpStream::write(Buffer bytes) {
    State& state = *state_;
    if (state.closed || bytes.empty()) return true;
    HF_ASSERT(!state.ending);
    auto write = std::make_unique<Write>();
    write->bytes = std::move(bytes);
    write->request.data = write.get();
    const uv_buf_t piece = uv_buf_init(reinterpret_cast<char*>(write->bytes.data()),
                                       static_cast<unsigned>(write->bytes.size()));
    const auto done = [](uv_write_t* request, int status) {
        const std::unique_ptr<Write> own(static_cast<Write*>(request->data));
        static_cast<State*>(request->handle->data)->sent(own->bytes.size(), status);
    };
    state.queue_bytes += piece.len;
    if (uv_write(&write->request, state.stream(), &piece, 1, done) < 0) {
        state.queue_bytes -= piece.len;  // The connection is gone: reading tells so.
        return true;
    }
    static_cast<void>(write.release());  // `done` owns it.
    state.refused = state.queue_bytes >= queue_bytes_max;
    return !state.refused;
}

void TcpStream::end() {
    state_->ending = true;
    state_->shut_down();
}

void TcpStream::on_data(Callback<void(View)> data) {
    state_->on_data = std::move(data);
}

void TcpStream::on_end(Callback<void()> end) {
    state_->on_end = std::move(end);
}

void TcpStream::on_room(Callback<void()> room) {
    state_->on_room = std::move(room);
}

void TcpStream::on_closed(Callback<void(Result<void>)> closed) {
    state_->on_closed = std::move(closed);
}

void TcpStream::pause() {
    state_->paused = true;
    state_->stop_reading();
}

void TcpStream::resume() {
    state_->paused = false;
    state_->read();
}

struct TcpListener::State {
    uv_tcp_t handle{};
    Callback<void(TcpStream)> accepted;
    std::uint16_t port = 0;
    bool let_go = false;

    void accept();
};

void TcpListener::State::accept() {
    auto made = std::make_unique<TcpStream::State>();
    if (uv_tcp_init(handle.loop, &made->handle) < 0) return;
    made->handle.data = made.get();
    TcpStream stream(made.release());
    if (uv_accept(reinterpret_cast<uv_stream_t*>(&handle), stream.state_->stream()) < 0) return;
    stream.state_->begin();
    run_kept(accepted, let_go, std::move(stream));
}

void TcpListener::StateCloser::operator()(State* state) const noexcept {
    state->let_go = true;
    const auto accepted = std::move(state->accepted);
    uv_close(reinterpret_cast<uv_handle_t*>(&state->handle),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

Result<TcpListener> TcpListener::listen(Loop& loop, const TcpAddress& at,
                                        Callback<void(TcpStream)> accepted) {
    const SocketAddress address = HF_TRY(socket_address(at));
    auto made = std::make_unique<State>();
    if (const int status = uv_tcp_init(&loop.raw(), &made->handle); status < 0) {
        return uv_error(status);
    }
    made->handle.data = made.get();
    TcpListener listener(made.release());
    State& state = *listener.state_;
    state.accepted = std::move(accepted);
    const auto called = [](uv_stream_t* raw, int status) {
        if (status == 0) static_cast<State*>(raw->data)->accept();
    };
    int status = uv_tcp_bind(&state.handle, reinterpret_cast<const sockaddr*>(address.get()), 0);
    if (status == 0) {
        status = uv_listen(reinterpret_cast<uv_stream_t*>(&state.handle), backlog, called);
    }
    if (status < 0) return listen_error(status, at);
    sockaddr_storage bound{};
    int size = sizeof bound;
    uv_tcp_getsockname(&state.handle, reinterpret_cast<sockaddr*>(&bound), &size);
    state.port =
        ntohs(bound.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(bound).sin_port
                                         : reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
    return listener;
}

std::uint16_t TcpListener::port() const {
    return state_->port;
}

}  // namespace holdfast::replicator
