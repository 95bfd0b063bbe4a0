#include "replicator/http/connection.h"

#include "replicator/http/dispatch.h"
#include "replicator/http/listener.h"
#include "replicator/http/openssl.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

namespace holdfast::replicator {

namespace {

constexpr std::size_t write_bytes_max = 64 * 1024;  // As libwebsockets sends in one go.
constexpr int writes_a_turn_max = 16;               // Then the others' turn.
constexpr std::uint64_t skip_closing_bytes_max = 8u << 20;

// While a client still sends what nobody wants, closing would reset the connection and could lose
// the answer on its way. So a rest is read and dropped, within this limit.
bool too_much_skipped(const Exchange& exchange, std::uint64_t skipped) {
    return exchange.closes() && skipped > skip_closing_bytes_max;
}

}  // namespace

Connection::Connection(Listener& listener, PeerAddress peer)
    : listener_(&listener), peer_(std::move(peer)) {}

Connection::~Connection() {
    on_closed();
}

int Connection::on_event(lws& wsi, lws_callback_reasons reason, void* in, std::size_t length) {
    wsi_ = &wsi;
    inside_ = true;
    const auto exchange = exchange_;  // Both outlive what a handler does to us.
    const auto tunnel = tunnel_;
    int result = 0;
    switch (static_cast<int>(reason)) {
        case LWS_CALLBACK_HTTP:
            result = on_request(wsi);
            break;
        case LWS_CALLBACK_HTTP_BODY:
            result = on_body({static_cast<const std::uint8_t*>(in), length});
            break;
        case LWS_CALLBACK_HTTP_BODY_COMPLETION:
            result = on_body_end();
            break;
        case LWS_CALLBACK_HTTP_WRITEABLE:
            result = on_writable();
            break;
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
            result = on_upgrade(wsi, static_cast<const char*>(in));
            break;
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
            result = tunnel ? 0 : -1;
            break;
        case LWS_CALLBACK_ESTABLISHED:
            if (tunnel) tunnel->attach(wsi);
            break;
        case LWS_CALLBACK_RECEIVE:
            if (tunnel) result = tunnel->receive(wsi, {static_cast<std::uint8_t*>(in), length});
            break;
        case LWS_CALLBACK_SERVER_WRITEABLE:
            if (tunnel) result = tunnel->writable(wsi);
            break;
        // CONNECT turns a connection into a raw one; there is no such service.
        case LWS_CALLBACK_RAW_ADOPT:
        case LWS_CALLBACK_RAW_RX:
            result = -1;
            break;
        case LWS_CALLBACK_CLOSED:
        case LWS_CALLBACK_CLOSED_HTTP:
            on_closed();
            break;
        default:
            break;
    }
    if (result == 0 && exchange_) settle();
    inside_ = false;
    return result;
}

int Connection::on_request(lws& wsi) {
    ServerShared* const shared = listener_->shared();
    if (shared == nullptr || exchange_) return -1;
    auto head = read_request_head(wsi, shared->options);
    fill_peer(wsi, head.request);
    exchange_ = std::make_shared<Exchange>(*this, head.shape);
    if (!count_in(head.request)) {
        head.refusal =
            error_response(429, "too_many_connections", "this peer has too many connections open");
    }
    skipped_ = 0;
    blocked_ = false;
    mode_ = Mode::Reading;
    const auto exchange = exchange_;
    dispatch(shared->router, shared->options.limits, std::move(head), exchange);
    return 0;
}

// X.509 is only the envelope of the key: the handshake has proved that the client holds it.
void Connection::fill_peer(lws& wsi, HttpRequest& request) {
    SSL* const ssl = listener_->secure() ? lws_get_ssl(&wsi) : nullptr;
    if (ssl != nullptr && !peer_key_) {
        if (const X509* const shown = SSL_get0_peer_certificate(ssl); shown != nullptr) {
            if (auto hash = hash_key_of(*shown)) peer_key_ = *hash;
        }
    }
    request.peer_key = peer_key_;
    request.peer_uid = peer_.uid;
    request.remote = peer_.remote;
}

bool Connection::count_in(const HttpRequest& request) {
    if (!counted_as_.empty() || request.peer_uid) return true;
    ServerShared& shared = *listener_->shared();
    counted_as_ = request.peer_key ? request.peer_key->hex() : request.remote;
    return ++shared.connections_by_peer[counted_as_] <=
           shared.options.limits.connections_per_peer_max;
}

bool Connection::over_skipping(std::size_t bytes) {
    if (!exchange_->done()) return false;
    skipped_ += bytes;
    return too_much_skipped(*exchange_, skipped_);
}

int Connection::on_body(View piece) {
    if (!exchange_) return -1;
    exchange_->take_piece(piece);
    return over_skipping(piece.size()) ? -1 : 0;
}

int Connection::on_body_end() {
    if (!exchange_) return -1;
    exchange_->pump();
    const bool sent = exchange_->done() && lws_partial_buffered(wsi_) == 0;
    return sent ? complete() : 0;
}

int Connection::on_writable() {
    if (cut_) return -1;
    if (!exchange_) return 0;
    exchange_->pump();
    if (write_some() != 0) return -1;
    const bool sent = exchange_->done() && lws_partial_buffered(wsi_) == 0;
    return sent && exchange_->body_over() ? complete() : 0;
}

int Connection::write_some() {
    blocked_ = false;
    Buffer piece;
    for (int i = 0; i < writes_a_turn_max && exchange_->has_output(); ++i) {
        if (lws_send_pipe_choked(wsi_) != 0) {
            blocked_ = true;
            return 0;
        }
        piece.clear();
        exchange_->drain(piece, write_bytes_max);
        if (cut_) return -1;
        if (lws_write(wsi_, piece.data(), piece.size(), LWS_WRITE_HTTP) < 0) return -1;
    }
    blocked_ = lws_partial_buffered(wsi_) != 0;
    return 0;
}

int Connection::complete() {
    const bool closes = exchange_->closes();
    exchange_->finish();
    exchange_.reset();
    enter(Mode::Reading);
    return closes || lws_http_transaction_completed(wsi_) != 0 ? -1 : 0;
}

void Connection::poke() {
    if (!inside_ && exchange_ && wsi_ != nullptr) settle();
}

void Connection::settle() {
    const bool sending =
        exchange_->has_output() || lws_partial_buffered(wsi_) != 0 || exchange_->can_pump();
    if (cut_) {
        enter(Mode::Writing);
    } else if (sending || (exchange_->done() && exchange_->body_over())) {
        enter(blocked_ ? Mode::Blocked : Mode::Writing);
    } else if (exchange_->wants_body()) {
        enter(Mode::Reading);
    } else {
        enter(Mode::Waiting);
    }
}

void Connection::enter(Mode mode) {
    const int idle = listener_->shared() != nullptr
                         ? static_cast<int>(listener_->shared()->options.limits.idle_seconds)
                         : 1;
    const bool changed = mode != mode_;
    mode_ = mode;
    switch (mode) {
        case Mode::Reading:
            if (!changed) return;
            watch(0);
            lws_set_timeout(wsi_, PENDING_TIMEOUT_HTTP_CONTENT, idle);
            lws_rx_flow_control(wsi_, 1);
            // Wakes libwebsockets for what it has buffered already, and for the time-out.
            if (exchange_) lws_callback_on_writable(wsi_);
            break;
        case Mode::Writing:
            if (changed) {
                watch(0);
                lws_set_timeout(wsi_, PENDING_TIMEOUT_HTTP_CONTENT, idle);
                lws_rx_flow_control(wsi_, 1);
            }
            lws_callback_on_writable(wsi_);
            break;
        case Mode::Blocked:
            lws_set_timeout(wsi_, PENDING_TIMEOUT_HTTP_CONTENT, idle);
            lws_rx_flow_control(wsi_, 0);
            watch(UV_WRITABLE | UV_DISCONNECT);
            break;
        case Mode::Waiting:
            lws_set_timeout(wsi_, NO_PENDING_TIMEOUT, 0);
            lws_rx_flow_control(wsi_, 0);
            watch(UV_DISCONNECT);
            break;
    }
}

void Connection::watch(int events) {
    if (events == 0) {
        if (watch_) uv_poll_stop(watch_.get());
        return;
    }
    if (!watch_) {
        watched_ = Fd(::fcntl(lws_get_socket_fd(wsi_), F_DUPFD_CLOEXEC, 0));
        auto handle = std::make_unique<uv_poll_t>();
        if (!watched_ || uv_poll_init(&listener_->loop().raw(), handle.get(), watched_.get()) < 0) {
            return cut();  // Out of descriptors: better none than one that nobody watches.
        }
        watch_.reset(handle.release());
        watch_->data = this;
    }
    uv_poll_start(watch_.get(), events, [](uv_poll_t* handle, int status, int seen) {
        auto* const self = static_cast<Connection*>(handle->data);
        if (self == nullptr) return;
        uv_poll_stop(handle);
        if (status < 0 || (seen & UV_DISCONNECT) != 0) return self->cut();
        self->blocked_ = false;
        self->poke();
    });
}

void Connection::cut() {
    cut_ = true;
    if (wsi_ == nullptr) return;
    // libwebsockets then finds the stream at its end and closes, whatever it waited for.
    ::shutdown(lws_get_socket_fd(wsi_), SHUT_RDWR);
    mode_ = Mode::Writing;
    watch(0);
    lws_rx_flow_control(wsi_, 1);
    lws_callback_on_writable(wsi_);
}

int Connection::on_upgrade(lws& wsi, std::string_view protocol) {
    ServerShared* const shared = listener_->shared();
    if (shared == nullptr || protocol != "websocket") return -1;
    auto head = read_request_head(wsi, shared->options);
    fill_peer(wsi, head.request);
    if (head.refusal) return refuse_upgrade(wsi, *head.refusal);
    if (!count_in(head.request)) {
        return refuse_upgrade(wsi, error_response(429, "too_many_connections",
                                                  "this peer has too many connections open"));
    }
    const std::string* const wanted = head.request.header("sec-websocket-protocol");
    auto match = shared->router.find(Router::tunnel_method, head.request.path);
    if (match.route == nullptr || wanted == nullptr || *wanted != tunnel_protocol) {
        return refuse_upgrade(
            wsi, error_response(404, "not_found", "there is no tunnel at " + head.request.path));
    }
    head.request.params = std::move(match.params);
    auto tunnel = std::make_shared<TunnelCore>();
    const auto& handler = std::get<TunnelHandler>(match.route->handler);
    if (auto accepted = handler(head.request, Tunnel(tunnel)); !accepted) {
        tunnel->forget();
        return refuse_upgrade(wsi, error_response(accepted.error()));
    }
    tunnel_ = std::move(tunnel);
    return 0;
}

// Before the upgrade there is no exchange: the answer is small and is written at once.
int Connection::refuse_upgrade(lws& wsi, const HttpResponse& response) {
    Exchange exchange(*this, {.keep_alive = false});
    exchange.answer(response);
    Buffer bytes;
    exchange.drain(bytes, write_bytes_max);
    exchange.finish();
    return lws_write(&wsi, bytes.data(), bytes.size(), LWS_WRITE_HTTP) < 0 ? -1 : 1;
}

void Connection::on_closed() {
    watch_.reset();
    watched_.reset();
    wsi_ = nullptr;
    if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->lose();
    if (const auto tunnel = std::exchange(tunnel_, nullptr)) tunnel->detach("the connection ended");
    if (ServerShared* const shared = listener_->shared(); shared && !counted_as_.empty()) {
        const auto count = shared->connections_by_peer.find(std::exchange(counted_as_, {}));
        if (--count->second == 0) shared->connections_by_peer.erase(count);
    }
}

void Connection::orphan() {
    on_closed();
}

}  // namespace holdfast::replicator
