// Listener: one listening socket and the libwebsockets context that serves what it accepts.
//
// We bind and accept ourselves and hand libwebsockets connected sockets: this gives modes of UNIX
// sockets, ephemeral ports, and limits before the handshake. One context each: within a context
// libwebsockets lets the Host header and SNI pick among its virtual hosts, so a network client
// could name the UNIX socket's.
//
// libwebsockets frees a context only after the loop has closed its handles, so a Listener goes to
// Loop::keep() when it is closed.
#pragma once

#include "replicator/http/connection.h"
#include "replicator/http/openssl.h"
#include "replicator/http/server.h"
#include "vault/base/file.h"

#include <libwebsockets.h>

#include <map>
#include <memory>
#include <optional>

namespace holdfast::replicator {

/// What the listeners of a server share.
struct ServerShared {
    Router router;
    ServerOptions options;
    std::map<std::string, std::uint32_t> connections_by_peer;
    std::size_t connections = 0;
};

struct ListenerTls {
    TlsIdentity identity;
    ClientCertificate client = ClientCertificate::Required;
};

class Listener final : public LoopTail {
public:
    /// Serves what `socket`, which listens and does not block, accepts. Without `tls`: in clear.
    /// `shared` must live until close(). Errors: Io, Invalid.
    static Result<std::unique_ptr<Listener>> make(Loop& loop, ServerShared& shared, Fd socket,
                                                  std::optional<ListenerTls> tls);
    ~Listener() override;

    /// Stops accepting and closes all connections.
    void close();

    ServerShared* shared() { return shared_; }
    Loop& loop() { return *loop_; }
    bool secure() const { return tls_.has_value(); }
    /// The connection's last moment.
    void forget(Connection* connection);
    int set_up_tls(SSL_CTX& context);

private:
    Listener() = default;
    Result<void> make_context();
    Result<void> watch_socket();
    void accept_more();
    void accept_some();
    void adopt(Fd socket, PeerAddress peer);

    Loop* loop_ = nullptr;
    ServerShared* shared_ = nullptr;
    std::optional<ListenerTls> tls_;
    Fd socket_;
    UvHandle<uv_poll_t> readable_;
    std::unique_ptr<SSL_CTX, Closer<SSL_CTX_free>> unused_client_;
    lws_context* context_ = nullptr;  // Set to null by libwebsockets when it is gone.
    lws_vhost* vhost_ = nullptr;
    std::string set_up_error_;
    std::map<Connection*, std::unique_ptr<Connection>> connections_;
};

}  // namespace holdfast::replicator
