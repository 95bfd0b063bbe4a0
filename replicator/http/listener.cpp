#include "replicator/http/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace holdfast::replicator {

namespace {

// Larger than a TLS record, so that no decrypted byte ever waits unseen inside OpenSSL.
constexpr int keepalive_idle_s = 30;
constexpr int keepalive_interval_s = 10;
constexpr int keepalive_probes = 3;
constexpr int accepts_a_turn_max = 16;
constexpr std::uint32_t head_seconds_max = 10;  // For a whole head, so that drops do not keep it.

int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t length) {
    switch (static_cast<int>(reason)) {
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: {
            auto* const listener = static_cast<Listener*>(lws_context_user(lws_get_context(wsi)));
            return listener->set_up_tls(*static_cast<SSL_CTX*>(user));
        }
        case LWS_CALLBACK_HTTP:
        case LWS_CALLBACK_HTTP_BODY:
        case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        case LWS_CALLBACK_HTTP_WRITEABLE:
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        case LWS_CALLBACK_ESTABLISHED:
        case LWS_CALLBACK_RECEIVE:
        case LWS_CALLBACK_SERVER_WRITEABLE:
        case LWS_CALLBACK_CLOSED:
        case LWS_CALLBACK_CLOSED_HTTP:
        case LWS_CALLBACK_RAW_ADOPT:
        case LWS_CALLBACK_RAW_RX: {
            auto* const connection = static_cast<Connection*>(lws_get_opaque_user_data(wsi));
            return connection ? connection->on_event(*wsi, reason, in, length) : -1;
        }
        case LWS_CALLBACK_WSI_DESTROY: {
            auto* const connection = static_cast<Connection*>(lws_get_opaque_user_data(wsi));
            auto* const listener = static_cast<Listener*>(lws_context_user(lws_get_context(wsi)));
            if (connection != nullptr) listener->forget(connection);
            return 0;
        }
        default:
            return 0;
    }
}

const std::array<lws_protocols, 3> protocols{{
    {"http", on_lws, 0, 0, 0, nullptr, 0},
    {tunnel_protocol, on_lws, 0, tunnel_service_bytes, 1, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
}};

std::string text_of(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    } else {
        return "unix";
    }
    const std::string_view plain(text.data());
    constexpr std::string_view mapped = "::ffff:";
    const bool is_v4 = plain.starts_with(mapped) && plain.find('.') != std::string_view::npos;
    return std::string(is_v4 ? plain.substr(mapped.size()) : plain);
}

std::optional<std::uint32_t> uid_of(int socket) {
    ucred who{};
    socklen_t size = sizeof who;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
    return who.uid;
}

// Answers must not wait for a full segment, and a peer that has lost power must be noticed.
void tune(int socket) {
    const auto set = [&](int level, int name, int value) {
        setsockopt(socket, level, name, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
    set(IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
    set(IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::make(Loop& loop, ServerShared& shared, Fd socket,
                                                 std::optional<ListenerTls> tls) {
    std::unique_ptr<Listener> listener(new Listener);
    listener->loop_ = &loop;
    listener->shared_ = &shared;
    listener->tls_ = std::move(tls);
    listener->socket_ = std::move(socket);
    auto ready = listener->make_context();
    if (ready) ready = listener->watch_socket();
    if (ready) return listener;
    listener->close();
    loop.keep(std::move(listener));
    return std::move(ready).error();
}

Listener::~Listener() {
    // The second call frees what the first had to leave until the loop had closed the handles.
    if (context_ != nullptr) lws_context_destroy(context_);
}

int Listener::set_up_tls(SSL_CTX& context) {
    if (auto done = set_up_context(context, &tls_->identity); !done) {
        set_up_error_ = done.error().message;
        return -1;
    }
    int mode = SSL_VERIFY_NONE;
    if (tls_->client == ClientCertificate::Optional) mode = SSL_VERIFY_PEER;
    if (tls_->client == ClientCertificate::Required) {
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(&context, mode, nullptr);
    return 0;
}

Result<void> Listener::make_context() {
    lws_set_log_level(0, nullptr);  // What matters reaches us as results.
    const HttpLimits& limits = shared_->options.limits;
    void* loops[] = {&loop_->raw()};
    lws_context_creation_info info{};
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.vhost_name = "holdfast";
    info.protocols = protocols.data();
    info.user = this;
    info.foreign_loops = loops;
    info.pcontext = &context_;
    info.alpn = "http/1.1";
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    if (secure()) {
        info.options |=
            LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
        // Nobody calls out from here. Without one libwebsockets 4.1 makes its own, and never frees
        // it.
        unused_client_.reset(SSL_CTX_new(TLS_client_method()));
        info.provided_client_ssl_ctx = unused_client_.get();
    }
    info.pt_serv_buf_size = tunnel_service_bytes;
    info.max_http_header_data2 = 2 * limits.header_bytes_max;
    info.max_http_header_pool2 = limits.connections_max;
    info.fd_limit_per_thread = limits.connections_max + 8;
    info.timeout_secs = limits.idle_seconds;
    info.timeout_secs_ah_idle = std::min(limits.idle_seconds, head_seconds_max);
    info.keepalive_timeout = static_cast<int>(limits.idle_seconds);
    context_ = lws_create_context(&info);
    if (context_ == nullptr) return Error{Errc::Io, "set up libwebsockets with libuv"};
    vhost_ = lws_create_vhost(context_, &info);
    if (vhost_ == nullptr) return Error{Errc::Invalid, "set up a listener: " + set_up_error_};
    return {};
}

Result<void> Listener::watch_socket() {
    auto handle = std::make_unique<uv_poll_t>();
    if (const int status = uv_poll_init(&loop_->raw(), handle.get(), socket_.get()); status < 0) {
        return uv_error(status);
    }
    readable_.reset(handle.release());
    accept_more();
    return {};
}

void Listener::accept_more() {
    readable_->data = this;
    uv_poll_start(readable_.get(), UV_READABLE, [](uv_poll_t* handle, int status, int) {
        auto* const self = static_cast<Listener*>(handle->data);
        if (self != nullptr && status == 0) self->accept_some();
    });
}

void Listener::accept_some() {
    for (int i = 0; i < accepts_a_turn_max; ++i) {
        if (connections_.size() >= shared_->options.limits.connections_max) {
            uv_poll_stop(readable_.get());  // forget() starts it again.
            return;
        }
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        Fd client(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!client) return;
        PeerAddress peer{text_of(address), std::nullopt};
        if (address.ss_family == AF_UNIX) {
            peer.uid = uid_of(client.get());
        } else {
            tune(client.get());
        }
        adopt(std::move(client), std::move(peer));
    }
}

void Listener::adopt(Fd socket, PeerAddress peer) {
    auto connection = std::make_unique<Connection>(*this, std::move(peer));
    Connection* const opaque = connection.get();
    connections_.emplace(opaque, std::move(connection));
    ++shared_->connections;
    lws_adopt_desc_t adoption{};
    adoption.vh = vhost_;
    int type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP;
    if (secure()) type |= LWS_ADOPT_ALLOW_SSL;
    adoption.type = static_cast<lws_adoption_type>(type);
    adoption.fd.sockfd = socket.release();
    adoption.opaque = opaque;
    // On failure libwebsockets closes the socket; LWS_CALLBACK_WSI_DESTROY may come or not.
    const bool adopted = lws_adopt_descriptor_vhost_via_info(&adoption) != nullptr;
    if (!adopted && connections_.contains(opaque)) opaque->orphan();
}

void Listener::forget(Connection* connection) {
    if (connections_.erase(connection) == 0 || shared_ == nullptr) return;
    --shared_->connections;
    if (readable_) accept_more();
}

void Listener::close() {
    readable_.reset();
    socket_.reset();
    for (const auto& [raw, connection] : connections_) connection->orphan();
    if (shared_ != nullptr) shared_->connections -= connections_.size();
    shared_ = nullptr;
    if (context_ != nullptr) lws_context_destroy(context_);
}

}  // namespace holdfast::replicator
