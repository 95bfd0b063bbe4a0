// One request and its answer, as handlers see them. Handles may outlive the connection: the client
// can vanish at any moment, and every call is then harmless and does nothing.
//
// Thread rule: the loop thread only. A handler that needs a worker moves its data there and keeps
// the handles on the loop side (WorkerPool::submit's `done`). No handler is called from inside a
// call of a handle's method.
#pragma once

#include "replicator/http/message.h"
#include "replicator/loop/callback.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::replicator {

class Exchange;  // exchange.cpp; the connection's side of these handles.
class Tunnel;    // tunnel.h

struct HttpRequest {
    std::string method;                         // "GET"
    std::string path;                           // Percent-decoded, without the query.
    std::map<std::string, std::string> params;  // From the route's pattern.
    std::map<std::string, std::string> query;   // The last of equal names wins.
    HttpHeaders headers;  // The well-known ones, and those that ServerOptions names; lower case.
    std::optional<KeyHash> peer_key;        // None: no client certificate, or a UNIX socket.
    std::optional<std::uint32_t> peer_uid;  // UNIX sockets: who connected.
    std::string remote;                     // "192.0.2.7", "2001:db8::1" or "unix".
    std::uint64_t content_length = 0;
    Buffer body;  // Empty for uploads.

    /// The parameter `name` of the route; a name that is not in the pattern is a broken rule.
    const std::string& param(std::string_view name) const;
    /// Null if absent.
    const std::string* header(std::string_view name) const { return find_header(headers, name); }
    /// Null if absent.
    const std::string* query_value(std::string_view name) const;
};

/// A body that is sent piece by piece. Dropping it before end() closes the connection, so that the
/// client sees a truncated answer for what it is.
class ResponseStream {
public:
    static constexpr std::size_t queue_bytes_max = 1u << 20;

    explicit ResponseStream(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    ResponseStream(ResponseStream&&) noexcept = default;
    ResponseStream& operator=(ResponseStream&& other) noexcept;
    ~ResponseStream();

    /// Queues `piece`. False: the queue holds queue_bytes_max or more; write again in on_room().
    bool write(Buffer piece);
    /// Called once each time that the queue has fallen below half after a refused write().
    void on_room(Callback<void()> room);
    /// Called at most once, if the client goes before all was sent.
    void on_gone(Callback<void()> gone);
    void end();
    bool gone() const;

private:
    // Shared: the connection and the handler each end at a time of their own.
    std::shared_ptr<Exchange> exchange_;
};

/// The right to answer one request, once. Dropped unused it answers 500 no_answer.
class Responder {
public:
    explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    Responder(Responder&&) noexcept = default;
    Responder& operator=(Responder&& other) noexcept;
    ~Responder();

    void send(HttpResponse response);
    void fail(unsigned status, std::string_view code, std::string_view message) {
        send(error_response(status, code, message));
    }
    void fail(const Error& error) { send(error_response(error)); }
    /// Sends the headers; the body follows. Without `length` it goes out chunked (and, to a
    /// HTTP/1.0 client, ends with the connection). More bytes than `length` is a broken rule; fewer
    /// at end() cut the connection.
    ResponseStream stream(unsigned status, const HttpHeaders& headers,
                          std::optional<std::uint64_t> length = std::nullopt);
    /// Called at most once, if the client goes before it was answered.
    void on_gone(Callback<void()> gone);
    bool gone() const;

private:
    std::shared_ptr<Exchange> exchange_;
};

/// The request's body on its way in. At most one piece (64 KiB) is in memory. Dropping it, or
/// answering early, discards the rest.
class BodyReader {
public:
    explicit BodyReader(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    BodyReader(BodyReader&&) noexcept = default;
    BodyReader& operator=(BodyReader&& other) noexcept;
    ~BodyReader();

    std::uint64_t length() const;
    /// Starts the flow. `piece` gets each run of bytes in order; it may pause().
    void on_piece(Callback<void(View)> piece);
    /// Called once after the last piece, never while paused.
    void on_end(Callback<void()> end);
    /// Called at most once, if the client goes before the end: nothing more comes.
    void on_gone(Callback<void()> gone);
    /// No piece comes until resume(); the client is held by TCP.
    void pause();
    void resume();

private:
    std::shared_ptr<Exchange> exchange_;
};

}  // namespace holdfast::replicator
