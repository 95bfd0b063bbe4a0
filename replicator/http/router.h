// Router: which handler answers which method and path.
//
// A pattern is a path whose segments may be parameters: "/v1/objects/{tenancy}/{name}". A parameter
// is one whole segment, never empty; a last segment "{rest...}" takes all that remains, slashes
// included. Literal segments win over parameters. Paths arrive percent-decoded, with empty, "." and
// ".." segments already resolved. A HEAD without a route of its own goes to the GET route, whose
// body is then not sent. Unknown path: 404 not_found; known path, other method: 405
// method_not_allowed.
#pragma once

#include "replicator/http/exchange.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::replicator {

/// Called with the whole body in `request.body`. Answers now or later through `respond`.
using RequestHandler = std::function<void(HttpRequest request, Responder respond)>;

/// Called when the headers are there. Nothing is read before `body.on_piece()` is set.
using UploadHandler = std::function<void(HttpRequest request, BodyReader body, Responder respond)>;

/// Called for "Upgrade: websocket" with subprotocol "holdfast-relay" (see tunnel.h). Returning an
/// Error refuses with error_response(); `tunnel` is then void.
using TunnelHandler = std::function<Result<void>(const HttpRequest& request, Tunnel tunnel)>;

using HttpHandler = std::variant<RequestHandler, UploadHandler, TunnelHandler>;

class Router {
public:
    /// The name under which tunnels stand among methods.
    static constexpr std::string_view tunnel_method = "UPGRADE";

    /// The body is collected; a longer one is refused (413 body_too_large) unread.
    /// `body_bytes_max` 0: the server's limit. Registering a pattern twice is a broken rule.
    void on(std::string_view method, std::string_view pattern, RequestHandler handler,
            std::uint64_t body_bytes_max = 0);
    /// The body is streamed to the handler.
    void on_upload(std::string_view method, std::string_view pattern, UploadHandler handler,
                   std::uint64_t body_bytes_max);
    void on_tunnel(std::string_view pattern, TunnelHandler handler);

    struct Route {
        std::string method;
        std::vector<std::string> segments;
        HttpHandler handler;
        std::uint64_t body_bytes_max = 0;
    };
    struct Match {
        const Route* route = nullptr;  // Null: no such path, or no such method on it.
        std::map<std::string, std::string> params;
        std::string allowed;  // "GET, PUT" if the path is known under other methods.
    };
    Match find(std::string_view method, std::string_view path) const;
    /// "GET /runs/{run}" and so on, as they were registered: for tests of documents.
    std::vector<std::string> names() const;

private:
    void add(std::string_view method, std::string_view pattern, HttpHandler handler,
             std::uint64_t body_bytes_max);

    std::vector<Route> routes_;
};

}  // namespace holdfast::replicator
