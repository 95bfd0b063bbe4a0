// HttpServer: HTTP/1.1 over mutual TLS 1.3 or over UNIX sockets, on our loop.
//
// TLS: version 1.3 only, no tickets, no resumption. Any client certificate is accepted, self-signed
// or expired: the handshake proves that the client holds the key, and handlers judge
// HttpRequest::peer_key. Over a limit the client gets a stable code and no handler is called:
//
//   400 bad_request             malformed length or target
//   408 (connection closed)     idle_seconds without a byte in a handshake, header, body or answer
//   411 length_required         a body without Content-Length (chunked uploads are not taken)
//   413 body_too_large          Content-Length over the route's limit
//   429 too_many_connections    connections_per_peer_max
//   431 headers_too_large       header_bytes_max; beyond twice that the connection is just closed
//   404 not_found, 405 method_not_allowed, 426 upgrade_required, 500 no_answer
//
// A client that half-closes its connection counts as gone.
#pragma once

#include "replicator/http/router.h"
#include "replicator/http/tls.h"
#include "replicator/loop/loop.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::replicator {

struct HttpLimits {
    std::uint32_t header_bytes_max = 16 * 1024;   // Request line and headers together.
    std::uint64_t body_bytes_max = 1024 * 1024;   // Where a route names no limit.
    std::uint32_t connections_max = 512;          // Per listener; more wait unaccepted.
    std::uint32_t connections_per_peer_max = 64;  // By key hash, else by remote address.
    std::uint32_t idle_seconds = 60;
};

struct ServerOptions {
    HttpLimits limits;
    std::vector<std::string> extra_headers;  // Of our own: "x-holdfast-list". Others are dropped.
};

enum class ClientCertificate { None, Optional, Required };

class HttpServer {
public:
    static Result<std::unique_ptr<HttpServer>> make(Loop& loop, Router router,
                                                    ServerOptions options = {});
    /// Closes all connections at once; handles of handlers become harmless.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Listens on `address` ("0.0.0.0", "::", "127.0.0.1"); port 0 takes any free one. Answers the
    /// port. Errors: Invalid (address), Conflict (port taken), Denied, Io.
    Result<std::uint16_t> listen_tcp(const std::string& address, std::uint16_t port,
                                     const TlsIdentity& identity, ClientCertificate client);
    /// Listens on a UNIX socket, created with `mode`. A socket that nobody listens on any more is
    /// replaced. Errors: Conflict (a live process listens there, or it is no socket), Invalid (path
    /// over 107 bytes), Denied, Io.
    Result<void> listen_unix(const std::string& path, unsigned mode);

    std::size_t connection_count() const;

private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace holdfast::replicator
