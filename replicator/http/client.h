// HttpClient (on the loop) and SyncClient (blocking, for the CLI and for worker threads).
//
// Over https the server is who its key is: HttpPeer::key must match (Denied otherwise, before a
// request byte is sent), names and dates are not looked at, and TLS is 1.3. Without a key any
// server is accepted and its key reported in HttpReply::server_key: for pairing, where a person
// compares. Connections are kept and reused; several transfers to one peer use several.
// Bodies above what `reply_bytes_max` allows fail with Invalid.
#pragma once

#include "replicator/http/tls.h"
#include "replicator/loop/loop.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace holdfast::replicator {

/// Whom to talk to.
struct HttpPeer {
    std::string base_url;        // "https://192.0.2.7:8443", or "http://localhost" for a socket.
    std::string unix_socket;     // Path of a UNIX socket; empty: TCP.
    std::optional<KeyHash> key;  // The server's expected key; https only.
    std::string proxy;           // "http://proxy:3128", "socks5h://..."; empty: none, ever.
};

/// What a body source says when asked for more.
struct BodyChunk {
    enum class State { Bytes, Later, Failed };
    State state = State::Bytes;
    std::size_t bytes = 0;  // Written to the front of the span; 0 with Bytes: the end.
};

struct ClientRequest {
    std::string method = "GET";
    std::string path = "/";  // With the query, percent-encoded.
    HttpHeaders headers;
    Buffer body;
    /// Instead of `body`: fills the span. After Later, Transfer::resume() asks again (SyncClient
    /// sources never answer Later). After Failed the transfer ends with Interrupted.
    Callback<BodyChunk(std::span<std::uint8_t>)> source;
    std::uint64_t source_bytes = 0;             // Exactly what `source` gives.
    std::string range;                          // "0-65535"; empty: all.
    std::uint64_t reply_bytes_max = 16u << 20;  // Of a reply collected in memory.
    std::uint32_t connect_ms_max = 15'000;
    std::uint32_t idle_ms_max = 60'000;      // No byte for so long: Unreachable.
    std::uint64_t total_ms_max = 0;          // 0: none.
    std::uint64_t bytes_per_second_max = 0;  // Each way; 0: none.
};

struct HttpReply {
    unsigned status = 0;
    HttpHeaders headers;                // Lower-case names.
    Buffer body;                        // Empty if it was streamed.
    std::optional<KeyHash> server_key;  // https without an expected key; also the pinned key.

    bool ok() const { return status >= 200 && status < 300; }
    const std::string* header(std::string_view name) const { return find_header(headers, name); }
};

/// What a receiver of pieces wants next.
enum class Flow {
    Continue,
    Pause,  // The piece was taken; no more until Transfer::resume().
    Stop,   // End the transfer with Interrupted.
};

/// All on the loop thread, none from inside start(), cancel() or resume().
struct ClientEvents {
    /// Once, before the first piece. Without `piece` the body is collected in the reply.
    Callback<void(const HttpReply&)> headers;
    /// A successful (2xx) body in pieces. Bodies of other replies are collected all the same.
    Callback<Flow(View)> piece;
    /// Exactly once, last, unless cancelled. Any status is a reply; Errors: Unreachable (no
    /// connection, time-out, cut off), Denied (wrong server key, or TLS refused), Invalid (URL, or
    /// reply over its limit), Interrupted.
    Callback<void(Result<HttpReply>)> done;
};

class HttpClientCore;

/// A running transfer. Letting go cancels it; no callback comes then.
class Transfer {
public:
    Transfer() = default;
    Transfer(std::shared_ptr<HttpClientCore*> core, std::uint64_t id)
        : core_(std::move(core)), id_(id) {}
    Transfer(Transfer&& other) noexcept = default;
    Transfer& operator=(Transfer&& other) noexcept;
    ~Transfer();

    void cancel();
    /// After Flow::Pause, or after a source's Later.
    void resume();
    /// Lets it run to its end without an owner.
    void detach();

private:
    HttpClientCore* core() const { return core_ ? *core_ : nullptr; }

    std::shared_ptr<HttpClientCore*> core_;  // Shared: it tells us when the client has gone.
    std::uint64_t id_ = 0;
};

class HttpClient {
public:
    /// `identity`: our key for servers that ask for one. Errors: Io.
    static Result<std::unique_ptr<HttpClient>> make(Loop& loop, const TlsIdentity* identity);
    /// Cancels all transfers. Not inside ClientEvents::headers or piece, nor inside a source.
    ~HttpClient();

    Transfer start(const HttpPeer& peer, ClientRequest request, ClientEvents events);

private:
    explicit HttpClient(std::unique_ptr<HttpClientCore> core);

    std::unique_ptr<HttpClientCore> core_;
};

/// One blocking connection at a time. Thread rule: one thread at a time.
class SyncClient {
public:
    static Result<SyncClient> make(const TlsIdentity* identity);
    SyncClient(SyncClient&&) noexcept;
    SyncClient& operator=(SyncClient&&) noexcept;
    ~SyncClient();

    /// `piece` as in ClientEvents (Pause counts as Continue). Errors: as ClientEvents::done.
    Result<HttpReply> request(const HttpPeer& peer, ClientRequest request,
                              Callback<Flow(View)> piece = nullptr);
    Result<HttpReply> get(const HttpPeer& peer, const std::string& path);
    /// `json` as body, application/json.
    Result<HttpReply> post(const HttpPeer& peer, const std::string& path, std::string_view json);

private:
    struct State;
    explicit SyncClient(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace holdfast::replicator
