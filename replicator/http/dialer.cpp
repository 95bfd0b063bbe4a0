#include "replicator/http/easy.h"
#include "replicator/http/openssl.h"
#include "replicator/http/tunnel.h"
#include "replicator/http/tunnel_core.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <map>

namespace holdfast::replicator {

namespace {

constexpr unsigned connect_seconds_max = 15;
constexpr unsigned tunnels_max = 512;

using CurlUrl = std::unique_ptr<CURLU, Closer<curl_url_cleanup>>;

struct Target {
    bool secure = false;
    std::string host;  // Without the brackets of an IPv6 literal.
    int port = 0;
};

std::string url_part(CURLU& url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(&url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
}

Result<Target> parse_target(const HttpPeer& peer) {
    const CurlUrl url(curl_url());
    const Error bad{Errc::Invalid, "open a tunnel to " + peer.base_url + ": expected https://HOST"};
    if (!url || curl_url_set(url.get(), CURLUPART_URL, peer.base_url.c_str(), 0) != CURLUE_OK) {
        return bad;
    }
    const std::string scheme = url_part(*url, CURLUPART_SCHEME);
    Target target{scheme == "https", url_part(*url, CURLUPART_HOST),
                  std::atoi(url_part(*url, CURLUPART_PORT).c_str())};
    if (scheme != "https" && scheme != "http") return bad;
    if (target.host.starts_with('[')) target.host = target.host.substr(1, target.host.size() - 2);
    if (target.secure && !peer.key) {
        return Error{Errc::Invalid, "a tunnel over TLS needs the server's expected key"};
    }
    if (!peer.proxy.empty()) return Error{Errc::Invalid, "tunnels do not go through HTTP proxies"};
    return target;
}

}  // namespace

// One attempt, later one tunnel.
struct Dial {
    HttpPeer peer;
    std::string path;
    Target target;
    Callback<void(Result<Tunnel>)> opened;
    std::shared_ptr<TunnelCore> core;
    std::optional<Error> denied;
};

// The libwebsockets context of a dialer; it outlives the dialer until the loop has closed its
// handles, like a Listener.
class DialerCore final : public LoopTail {
public:
    DialerCore(Loop& loop, const TlsIdentity* identity) : loop_(&loop) {
        if (identity != nullptr) identity_ = identity->copy();
    }
    ~DialerCore() override {
        if (context_ != nullptr) lws_context_destroy(context_);
    }

    Result<void> make_context();
    void dial(std::unique_ptr<Dial> dial);
    void close();

private:
    static int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in,
                      std::size_t length);
    int on_event(Dial& dial, lws& wsi, lws_callback_reasons reason, void* in, std::size_t length);
    int check_key(Dial& dial, lws& wsi);
    void resolve(Dial& dial);
    void connect(Dial& dial, const std::string& address);
    void tell(Dial& dial, Result<Tunnel> outcome);
    void fail(Dial& dial, lws* wsi, const char* why);
    void drop(Dial* dial, lws* wsi);

    static const std::array<lws_protocols, 2> protocols_;

    Loop* loop_;
    std::optional<TlsIdentity> identity_;
    std::unique_ptr<SSL_CTX, Closer<SSL_CTX_free>> tls_;
    lws_context* context_ = nullptr;
    lws_vhost* vhost_ = nullptr;
    bool closed_ = false;
    std::map<Dial*, std::unique_ptr<Dial>> dials_;
};

const std::array<lws_protocols, 2> DialerCore::protocols_{{
    {tunnel_protocol, &DialerCore::on_lws, 0, tunnel_service_bytes, 0, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
}};

Result<void> DialerCore::make_context() {
    lws_set_log_level(0, nullptr);
    tls_.reset(SSL_CTX_new(TLS_client_method()));
    if (!tls_) return openssl_error(Errc::Io, "set up TLS");
    HF_TRY(set_up_context(*tls_, identity_ ? &*identity_ : nullptr));
    void* loops[] = {&loop_->raw()};
    lws_context_creation_info info{};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.vhost_name = "holdfast";
    info.protocols = protocols_.data();
    info.user = this;
    info.foreign_loops = loops;
    info.pcontext = &context_;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.provided_client_ssl_ctx = tls_.get();  // Its own it would leak.
    info.pt_serv_buf_size = tunnel_service_bytes;
    info.fd_limit_per_thread = tunnels_max + 8;
    info.timeout_secs = connect_seconds_max;
    info.connect_timeout_secs = connect_seconds_max;
    info.ka_time = 30;
    info.ka_interval = 10;
    info.ka_probes = 3;
    context_ = lws_create_context(&info);
    if (context_ != nullptr) vhost_ = lws_create_vhost(context_, &info);
    if (vhost_ == nullptr) return Error{Errc::Io, "set up libwebsockets for tunnels"};
    return {};
}

void DialerCore::dial(std::unique_ptr<Dial> dial) {
    Dial* const raw = dial.get();
    dials_.emplace(raw, std::move(dial));
    if (!raw->peer.unix_socket.empty()) return connect(*raw, "+" + raw->peer.unix_socket);
    resolve(*raw);
}

// libwebsockets would look names up on the loop thread, and hold up everything.
void DialerCore::resolve(Dial& dial) {
    struct Lookup {
        uv_getaddrinfo_t request{};
        DialerCore* core;
        Dial* dial;
    };
    auto lookup = std::make_unique<Lookup>();
    lookup->core = this;
    lookup->dial = &dial;
    lookup->request.data = lookup.get();
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    const auto found = [](uv_getaddrinfo_t* request, int status, addrinfo* list) {
        const std::unique_ptr<Lookup> done(static_cast<Lookup*>(request->data));
        std::array<char, 64> text{};
        if (status == 0) {
            getnameinfo(list->ai_addr, list->ai_addrlen, text.data(), text.size(), nullptr, 0,
                        NI_NUMERICHOST);
        }
        uv_freeaddrinfo(list);
        if (done->core->closed_) return;
        if (text[0] == '\0') return done->core->fail(*done->dial, nullptr, "no such host");
        done->core->connect(*done->dial, text.data());
    };
    const int status = uv_getaddrinfo(&loop_->raw(), &lookup->request, found,
                                      dial.target.host.c_str(), nullptr, &hints);
    if (status < 0) return fail(dial, nullptr, uv_strerror(status));
    static_cast<void>(lookup.release());  // `found` owns it.
}

void DialerCore::connect(Dial& dial, const std::string& address) {
    lws_client_connect_info info{};
    info.context = context_;
    info.vhost = vhost_;
    info.address = address.c_str();
    info.port = dial.target.port;
    info.path = dial.path.c_str();
    info.host = dial.target.host.c_str();
    info.origin = nullptr;
    info.protocol = tunnel_protocol;
    info.local_protocol_name = tunnel_protocol;
    info.alpn = "http/1.1";
    info.opaque_user_data = &dial;
    if (dial.target.secure) {
        info.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED |
                              LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK | LCCSCF_ALLOW_EXPIRED;
    }
    // On failure the connection-error callback may or may not have come.
    if (lws_client_connect_via_info(&info) == nullptr && dials_.contains(&dial)) {
        fail(dial, nullptr, "no connection");
    }
}

int DialerCore::on_lws(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t length) {
    switch (static_cast<int>(reason)) {
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
        case LWS_CALLBACK_CLIENT_RECEIVE:
        case LWS_CALLBACK_CLIENT_WRITEABLE:
        case LWS_CALLBACK_CLIENT_CLOSED:
        case LWS_CALLBACK_WSI_DESTROY: {
            auto* const core = static_cast<DialerCore*>(lws_context_user(lws_get_context(wsi)));
            auto* const dial = static_cast<Dial*>(lws_get_opaque_user_data(wsi));
            if (dial == nullptr || !core->dials_.contains(dial)) return 0;
            return core->on_event(*dial, *wsi, reason, in, length);
        }
        default:
            return 0;
    }
}

int DialerCore::on_event(Dial& dial, lws& wsi, lws_callback_reasons reason, void* in,
                         std::size_t length) {
    const auto tunnel = dial.core;  // It outlives what the user does.
    switch (static_cast<int>(reason)) {
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
            return check_key(dial, wsi);
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            fail(dial, &wsi, in ? static_cast<const char*>(in) : "no connection");
            return 0;
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            tunnel->attach(wsi);
            tell(dial, Tunnel(tunnel));
            return 0;
        case LWS_CALLBACK_CLIENT_RECEIVE:
            return tunnel->receive(wsi, {static_cast<std::uint8_t*>(in), length});
        case LWS_CALLBACK_CLIENT_WRITEABLE:
            return tunnel->writable(wsi);
        case LWS_CALLBACK_CLIENT_CLOSED:
        case LWS_CALLBACK_WSI_DESTROY:
            if (dial.opened) {
                fail(dial, &wsi, "the connection ended");
            } else {
                drop(&dial, &wsi);
                tunnel->detach("the connection ended");
            }
            return 0;
        default:
            return 0;
    }
}

// After the handshake, before the request: the server learns nothing but our key.
int DialerCore::check_key(Dial& dial, lws& wsi) {
    if (!dial.target.secure) return 0;
    SSL* const ssl = lws_get_ssl(&wsi);
    const X509* const shown = ssl ? SSL_get0_peer_certificate(ssl) : nullptr;
    if (shown != nullptr) {
        if (auto key = hash_key_of(*shown); key && *key == *dial.peer.key) return 0;
    }
    dial.denied = Error{Errc::Denied, dial.peer.base_url + ": the server has another key"};
    return -1;
}

void DialerCore::tell(Dial& dial, Result<Tunnel> outcome) {
    if (const auto opened = std::move(dial.opened)) opened(std::move(outcome));
}

void DialerCore::fail(Dial& dial, lws* wsi, const char* why) {
    const unsigned status = wsi != nullptr ? lws_http_client_http_response(wsi) : 0;
    Error error{Errc::Unreachable, "tunnel to " + dial.peer.base_url + dial.path + ": " + why};
    if (status == 404) error.code = Errc::NotFound;
    if (status == 401 || status == 403) error.code = Errc::Denied;
    if (dial.denied) error = *dial.denied;
    // Later, as promised, and from a place where the user may do anything.
    loop_->post([opened = std::move(dial.opened), error] {
        if (opened) opened(error);
    });
    dial.core->detach(why);
    drop(&dial, wsi);
}

void DialerCore::drop(Dial* dial, lws* wsi) {
    if (wsi != nullptr) lws_set_opaque_user_data(wsi, nullptr);  // More callbacks may come.
    dials_.erase(dial);
}

void DialerCore::close() {
    closed_ = true;
    auto dials = std::exchange(dials_, {});
    for (auto& [raw, dial] : dials) dial->core->detach("we are stopping");
    if (context_ != nullptr) lws_context_destroy(context_);
}

struct TunnelDialer::State {
    Loop* loop;
    std::unique_ptr<DialerCore> core;
};

TunnelDialer::TunnelDialer(std::unique_ptr<State> state) : state_(std::move(state)) {}

TunnelDialer::~TunnelDialer() {
    state_->core->close();
    state_->loop->keep(std::move(state_->core));
}

Result<std::unique_ptr<TunnelDialer>> TunnelDialer::make(Loop& loop, const TlsIdentity* identity) {
    auto core = std::make_unique<DialerCore>(loop, identity);
    std::unique_ptr<TunnelDialer> dialer(
        new TunnelDialer(std::make_unique<State>(State{&loop, std::move(core)})));
    HF_TRY(dialer->state_->core->make_context());
    return dialer;
}

void TunnelDialer::open(const HttpPeer& peer, const std::string& path,
                        Callback<void(Result<Tunnel>)> opened) {
    auto target = parse_target(peer);
    if (!target) {
        state_->loop->post([opened = std::move(opened), error = target.error()] { opened(error); });
        return;
    }
    auto dial = std::make_unique<Dial>();
    dial->peer = peer;
    dial->path = path;
    dial->target = *target;
    dial->opened = std::move(opened);
    dial->core = std::make_shared<TunnelCore>();
    state_->core->dial(std::move(dial));
}

}  // namespace holdfast::replicator
