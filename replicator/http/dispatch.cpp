#include "replicator/http/dispatch.h"

#include "replicator/http/tunnel.h"

#include <algorithm>

namespace holdfast::replicator {

namespace {

constexpr std::uint64_t reserved_bytes_max = 64 * 1024;

HttpResponse no_route(const Router::Match& match, const std::string& path) {
    if (match.allowed.empty()) {
        return error_response(404, "not_found", "there is nothing at " + path);
    }
    if (match.allowed == Router::tunnel_method) {
        return error_response(426, "upgrade_required", path + " is a tunnel: upgrade to websocket");
    }
    auto response = error_response(405, "method_not_allowed", path + " takes " + match.allowed);
    response.headers.emplace_back("allow", match.allowed);
    return response;
}

// Holds a request while its body comes in.
struct Collecting {
    HttpRequest request;
    Responder respond;
    const RequestHandler* handler;
};

void collect(const RequestHandler& handler, HttpRequest request,
             const std::shared_ptr<Exchange>& exchange) {
    if (request.content_length == 0) return handler(std::move(request), Responder(exchange));
    // Shared by the two callbacks, which go at different times.
    auto collecting =
        std::make_shared<Collecting>(Collecting{std::move(request), Responder(exchange), &handler});
    // A short body may hold a passphrase: a buffer that grows would leave copies behind.
    collecting->request.body.reserve(
        std::min(collecting->request.content_length, reserved_bytes_max));
    exchange->on_piece = [collecting](View piece) {
        Buffer& body = collecting->request.body;
        body.insert(body.end(), piece.begin(), piece.end());
    };
    exchange->on_body_end = [collecting] {
        (*collecting->handler)(std::move(collecting->request), std::move(collecting->respond));
    };
}

}  // namespace

void dispatch(const Router& router, const HttpLimits& limits, RequestHead head,
              const std::shared_ptr<Exchange>& exchange) {
    if (head.refusal) return exchange->answer(std::move(*head.refusal));
    auto match = router.find(head.request.method, head.request.path);
    if (match.route == nullptr) return exchange->answer(no_route(match, head.request.path));
    const std::uint64_t body_max =
        match.route->body_bytes_max != 0 ? match.route->body_bytes_max : limits.body_bytes_max;
    if (head.request.content_length > body_max) {
        return exchange->answer(
            error_response(413, "body_too_large",
                           "the body has " + std::to_string(head.request.content_length) +
                               " bytes; at most " + std::to_string(body_max) + " are taken"));
    }
    head.request.params = std::move(match.params);
    const HttpHandler& handler = match.route->handler;
    if (const auto* whole = std::get_if<RequestHandler>(&handler)) {
        collect(*whole, std::move(head.request), exchange);
    } else if (const auto* upload = std::get_if<UploadHandler>(&handler)) {
        (*upload)(std::move(head.request), BodyReader(exchange), Responder(exchange));
    }
}

}  // namespace holdfast::replicator
