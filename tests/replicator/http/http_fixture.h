// What the HTTP tests share: a loop, identities, a server to talk to, and a raw client for what a
// well-behaved one never does.
#pragma once

#include "replicator/http/client.h"
#include "replicator/http/openssl.h"
#include "replicator/http/server.h"
#include "replicator/loop/loop.h"
#include "vault/base/closer.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace holdfast::replicator {

constexpr std::uint64_t patience_ms = 120'000;  // Sanitizers on a busy machine are slow.

inline TlsIdentity make_identity(const char* name) {
    auto identity = TlsIdentity::make(name);
    REQUIRE(identity);
    return std::move(*identity);
}

inline std::unique_ptr<Loop> make_loop() {
    auto loop = Loop::make();
    REQUIRE(loop);
    return std::move(*loop);
}

/// Bytes in which no stretch is like another, so that one out of place shows.
inline Buffer pattern(std::size_t bytes) {
    Buffer out(bytes);
    std::uint32_t x = 1;
    for (auto& b : out) b = static_cast<std::uint8_t>((x = x * 1664525 + 1013904223) >> 24);
    return out;
}

/// A server on loopback with a client that it knows.
struct Site {
    std::unique_ptr<Loop> loop = make_loop();
    TlsIdentity server_identity = make_identity("server");
    TlsIdentity client_identity = make_identity("client");
    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;

    void serve(Router router, ServerOptions options = {},
               ClientCertificate client = ClientCertificate::Required) {
        auto made = HttpServer::make(*loop, std::move(router), std::move(options));
        REQUIRE(made);
        server = std::move(*made);
        auto taken = server->listen_tcp("127.0.0.1", 0, server_identity, client);
        INFO((taken ? "" : taken.error().message));
        REQUIRE(taken);
        port = *taken;
    }

    HttpPeer peer() const {
        return {"https://127.0.0.1:" + std::to_string(port), "", server_identity.key_hash(), ""};
    }

    /// Runs `work` in a thread of its own while the loop serves it.
    void meanwhile(const std::function<void()>& work) {
        std::atomic<bool> over = false;
        std::thread thread([&] {
            work();
            over = true;
            loop->post([] {});
        });
        const bool ended = loop->run_until([&] { return over.load(); }, patience_ms);
        thread.join();
        REQUIRE(ended);
    }

    /// A blocking request from another thread.
    Result<HttpReply> ask(ClientRequest request, const TlsIdentity* identity = nullptr) {
        return ask_as(peer(), std::move(request), identity ? identity : &client_identity);
    }
    Result<HttpReply> ask_as(const HttpPeer& whom, ClientRequest request,
                             const TlsIdentity* identity) {
        Result<HttpReply> reply = Error{Errc::Interrupted, "never asked"};
        meanwhile([&] {
            auto client = SyncClient::make(identity);
            if (client) reply = client->request(whom, std::move(request));
        });
        return reply;
    }
    Result<HttpReply> get(const std::string& path) {
        ClientRequest request;
        request.path = path;
        return ask(std::move(request));
    }

    /// Serves until `done`.
    void until(const std::function<bool()>& done) {
        REQUIRE(loop->run_until([&] { return done(); }, patience_ms));
    }
};

inline ClientRequest upload(std::string path, Buffer body, std::string method = "PUT") {
    ClientRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = std::move(body);
    return request;
}

inline std::string text(const Buffer& bytes) {
    return std::string(as_text(bytes));
}

inline RequestHandler say(std::string words) {
    return [words](const HttpRequest&, Responder respond) {
        respond.send({200, {}, Buffer(words.begin(), words.end())});
    };
}

/// A blocking TLS connection that sends exactly what it is told. Not for the loop's thread.
class RawClient {
public:
    RawClient(std::uint16_t port, const TlsIdentity* identity, int version_max = TLS1_3_VERSION)
        : context_(SSL_CTX_new(TLS_client_method())) {
        if (version_max != TLS1_3_VERSION) {
            SSL_CTX_set_max_proto_version(context_.get(), version_max);
        } else if (!set_up_context(*context_, identity)) {
            return;
        }
        socket_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval patience{20, 0};
        setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        if (::connect(socket_.get(), generic, sizeof address) != 0) return;
        tls_.reset(SSL_new(context_.get()));
        SSL_set_fd(tls_.get(), socket_.get());
        connected = SSL_connect(tls_.get()) == 1;
    }

    bool send(std::string_view bytes) {
        return connected && SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
                                static_cast<int>(bytes.size());
    }
    /// What comes until the stream ends.
    std::string rest() {
        std::string all;
        char piece[4096];
        for (int n = 0; (n = read(piece, sizeof piece)) > 0;) {
            all.append(piece, static_cast<std::size_t>(n));
        }
        return all;
    }
    std::string some() {
        char piece[4096];
        const int n = read(piece, sizeof piece);
        return {piece, static_cast<std::size_t>(n > 0 ? n : 0)};
    }
    /// As a power cut: a reset, no farewell.
    void vanish() {
        const linger now{1, 0};
        setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        socket_.reset();
    }

    bool connected = false;

private:
    int read(char* room, std::size_t size) {
        return connected ? SSL_read(tls_.get(), room, static_cast<int>(size)) : 0;
    }

    std::unique_ptr<SSL_CTX, Closer<SSL_CTX_free>> context_;
    Fd socket_;
    std::unique_ptr<SSL, Closer<SSL_free>> tls_;
};

}  // namespace holdfast::replicator
