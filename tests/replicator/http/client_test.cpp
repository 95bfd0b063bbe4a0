#include "http_fixture.h"

#include "replicator/loop/timer.h"
#include "vault/base/clock.h"

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

struct Outcome {
    std::optional<Result<HttpReply>> reply;
    ClientEvents events() {
        ClientEvents events;
        events.done = [this](Result<HttpReply> done) { reply = std::move(done); };
        return events;
    }
};

ClientRequest get(std::string path) {
    ClientRequest request;
    request.path = std::move(path);
    return request;
}

struct ClientSite : Site {
    std::unique_ptr<HttpClient> client = *HttpClient::make(*loop, &client_identity);

    Result<HttpReply> run(const HttpPeer& whom, ClientRequest request) {
        Outcome outcome;
        const Transfer transfer = client->start(whom, std::move(request), outcome.events());
        CHECK_FALSE(outcome.reply);
        until([&] { return outcome.reply.has_value(); });
        return std::move(*outcome.reply);
    }
    ~ClientSite() { client.reset(); }
};

}  // namespace

TEST_CASE("a server with another key is refused before the request", "[replicator][http]") {
    ClientSite site;
    Router router;
    bool called = false;
    router.on("GET", "/", [&](const HttpRequest&, Responder respond) {
        called = true;
        respond.send({});
    });
    site.serve(std::move(router));
    HttpPeer wrong = site.peer();
    wrong.key = make_identity("server").key_hash();
    const auto reply = site.run(wrong, get("/"));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == Errc::Denied);
    CHECK(site.ask_as(wrong, get("/"), &site.client_identity).error().code == Errc::Denied);
    CHECK_FALSE(called);
    CHECK(site.run(site.peer(), get("/")));
    // Nor may a connection made with the right key serve a request for the wrong one.
    CHECK_FALSE(site.run(wrong, get("/")));
}

TEST_CASE("without an expected key the server's key is reported", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    HttpPeer unknown = site.peer();
    unknown.key.reset();
    for (int i = 0; i < 2; ++i) {
        const auto reply = site.run(unknown, get("/"));
        REQUIRE(reply);
        CHECK(reply->server_key == site.server_identity.key_hash());
    }
    CHECK(site.ask_as(unknown, get("/"), &site.client_identity)->server_key ==
          site.server_identity.key_hash());
}

TEST_CASE("a hundred requests at once are all answered", "[replicator][http]") {
    ClientSite site;
    Router router;
    auto timer = *Timer::make(*site.loop);
    std::vector<Responder> waiting;
    router.on("POST", "/{n}", [&](HttpRequest request, Responder respond) {
        CHECK(text(request.body) == request.param("n"));
        waiting.push_back(std::move(respond));
        if (waiting.size() < 100) return;
        for (auto& responder : waiting) responder.send(json_response(200, "\"all here\""));
        waiting.clear();
    });
    ServerOptions options;
    options.limits.connections_per_peer_max = 100;
    site.serve(std::move(router), options);
    std::vector<Transfer> transfers;
    int good = 0;
    int done = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string n = std::to_string(i);
        ClientEvents events;
        events.done = [&](Result<HttpReply> reply) {
            ++done;
            good += reply && reply->status == 200;
        };
        auto request = upload("/" + n, Buffer(n.begin(), n.end()), "POST");
        transfers.push_back(site.client->start(site.peer(), std::move(request), std::move(events)));
    }
    site.until([&] { return done == 100; });
    CHECK(good == 100);
}

TEST_CASE("connections are used again", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    for (int i = 0; i < 5; ++i) CHECK(site.run(site.peer(), get("/"))->status == 200);
    CHECK(site.server->connection_count() == 1);
}

TEST_CASE("a kept connection that has died is replaced", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", say("hello"));
    router.on("PUT", "/", say("hello"));
    ServerOptions options;
    options.limits.idle_seconds = 1;
    site.serve(std::move(router), options);
    CHECK(site.run(site.peer(), get("/"))->status == 200);
    site.until([&] { return site.server->connection_count() == 0; });
    CHECK(site.run(site.peer(), upload("/", Buffer(100)))->status == 200);
}

TEST_CASE("a reply is streamed, paused and resumed", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", [](const HttpRequest&, Responder respond) {
        respond.send({200, {}, Buffer(3'000'000, 7)});
    });
    site.serve(std::move(router));
    auto timer = *Timer::make(*site.loop);
    Outcome outcome;
    Transfer transfer;
    std::size_t bytes = 0;
    bool paused = false;
    bool while_paused = false;
    bool headers_first = false;
    auto events = outcome.events();
    events.headers = [&](const HttpReply& reply) {
        headers_first = bytes == 0 && reply.status == 200;
        CHECK(*reply.header("content-length") == "3000000");
    };
    events.piece = [&](View piece) {
        while_paused = while_paused || paused;
        bytes += piece.size();
        paused = true;
        timer.once(2, [&] {
            paused = false;
            transfer.resume();
        });
        return Flow::Pause;
    };
    transfer = site.client->start(site.peer(), get("/"), std::move(events));
    site.until([&] { return outcome.reply.has_value(); });
    REQUIRE(*outcome.reply);
    CHECK(bytes == 3'000'000);
    CHECK(headers_first);
    CHECK_FALSE(while_paused);
}

TEST_CASE("an upload's source may say later", "[replicator][http]") {
    ClientSite site;
    Router router;
    Buffer got;
    router.on(
        "PUT", "/",
        [&](HttpRequest request, Responder respond) {
            got = std::move(request.body);
            respond.send({});
        },
        1u << 20);
    site.serve(std::move(router));
    auto timer = *Timer::make(*site.loop);
    Outcome outcome;
    Transfer transfer;
    std::uint8_t next = 0;
    bool ready = false;
    ClientRequest request = get("/");
    request.method = "PUT";
    request.source_bytes = 20;
    request.source = [&](std::span<std::uint8_t> room) -> BodyChunk {
        if (!std::exchange(ready, false)) {
            timer.once(1, [&] {
                ready = true;
                transfer.resume();
            });
            return {BodyChunk::State::Later, 0};
        }
        room[0] = next++;
        return {BodyChunk::State::Bytes, 1};
    };
    transfer = site.client->start(site.peer(), std::move(request), outcome.events());
    site.until([&] { return outcome.reply.has_value(); });
    REQUIRE(*outcome.reply);
    CHECK(got.size() == 20);
    CHECK(got.back() == 19);
}

TEST_CASE("a source that fails ends the transfer", "[replicator][http]") {
    ClientSite site;
    Router router;
    bool called = false;
    router.on("PUT", "/", [&](const HttpRequest&, Responder) { called = true; });
    site.serve(std::move(router));
    ClientRequest request = get("/");
    request.method = "PUT";
    request.source_bytes = 20;
    request.source = [](std::span<std::uint8_t>) -> BodyChunk {
        return {BodyChunk::State::Failed, 0};
    };
    CHECK(site.run(site.peer(), std::move(request)).error().code == Errc::Interrupted);
    CHECK_FALSE(called);
}

TEST_CASE("a cancelled transfer calls nothing any more", "[replicator][http]") {
    ClientSite site;
    Router router;
    std::optional<Responder> kept;
    router.on("GET", "/",
              [&](const HttpRequest&, Responder respond) { kept = std::move(respond); });
    router.on("GET", "/big", [&](const HttpRequest&, Responder respond) {
        respond.send({200, {}, Buffer(3'000'000)});
    });
    site.serve(std::move(router));
    Outcome outcome;
    {
        const Transfer transfer = site.client->start(site.peer(), get("/"), outcome.events());
        site.until([&] { return kept.has_value(); });
    }
    site.until([&] { return kept->gone(); });
    CHECK_FALSE(outcome.reply);
    // From inside its own callback.
    Transfer transfer;
    int pieces = 0;
    auto events = outcome.events();
    events.piece = [&](View) {
        ++pieces;
        transfer.cancel();
        return Flow::Continue;
    };
    transfer = site.client->start(site.peer(), get("/big"), std::move(events));
    site.until([&] { return pieces > 0 && site.server->connection_count() == 0; });
    CHECK(pieces == 1);
    CHECK_FALSE(outcome.reply);
}

TEST_CASE("a detached transfer runs to its end", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    Outcome outcome;
    site.client->start(site.peer(), get("/"), outcome.events()).detach();
    site.until([&] { return outcome.reply.has_value(); });
    CHECK(*outcome.reply);
}

TEST_CASE("the client asks for ranges and obeys a pace", "[replicator][http]") {
    ClientSite site;
    Router router;
    std::string range;
    router.on("GET", "/", [&](const HttpRequest& request, Responder respond) {
        range = *request.header("range");
        respond.send({206, {}, Buffer(2'000'000)});
    });
    site.serve(std::move(router));
    auto request = get("/");
    request.range = "100-299";
    request.bytes_per_second_max = 4'000'000;
    const auto start = system_clock().steady_ns();
    CHECK(site.run(site.peer(), std::move(request))->status == 206);
    CHECK(range == "bytes=100-299");
    CHECK(system_clock().steady_ns() - start > 200'000'000);
}

TEST_CASE("a reply over its limit is refused", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", [](const HttpRequest&, Responder respond) {
        respond.send({200, {}, Buffer(1001)});
    });
    site.serve(std::move(router));
    auto request = get("/");
    request.reply_bytes_max = 1000;
    CHECK(site.run(site.peer(), std::move(request)).error().code == Errc::Invalid);
}

TEST_CASE("a server that dies in mid-answer is an error", "[replicator][http]") {
    ClientSite site;
    Router router;
    std::optional<ResponseStream> stream;
    router.on("GET", "/", [&](const HttpRequest&, Responder respond) {
        stream = respond.stream(200, {}, 100'000);
        stream->write(Buffer(1000));
    });
    site.serve(std::move(router));
    Outcome outcome;
    std::size_t bytes = 0;
    auto events = outcome.events();
    events.piece = [&](View piece) {
        bytes += piece.size();
        return Flow::Continue;
    };
    const Transfer transfer = site.client->start(site.peer(), get("/"), std::move(events));
    site.until([&] { return bytes > 0; });
    site.server.reset();
    site.until([&] { return outcome.reply.has_value(); });
    REQUIRE_FALSE(*outcome.reply);
    CHECK(outcome.reply->error().code == Errc::Unreachable);
    CHECK(bytes == 1000);
}

TEST_CASE("silence, a closed port and a bad URL are told apart", "[replicator][http]") {
    ClientSite site;
    Router router;
    std::optional<Responder> kept;
    router.on("GET", "/",
              [&](const HttpRequest&, Responder respond) { kept = std::move(respond); });
    site.serve(std::move(router));
    auto slow = get("/");
    slow.total_ms_max = 50;
    CHECK(site.run(site.peer(), std::move(slow)).error().code == Errc::Unreachable);
    HttpPeer nobody = site.peer();
    nobody.base_url = "https://127.0.0.1:1";
    CHECK(site.run(nobody, get("/")).error().code == Errc::Unreachable);
    nobody.base_url = "gopher://127.0.0.1";
    CHECK(site.run(nobody, get("/")).error().code == Errc::Invalid);
    auto smuggle = get("/");
    smuggle.headers = {{"x", "a\r\nb: c"}};
    CHECK(site.run(site.peer(), std::move(smuggle)).error().code == Errc::Invalid);
}

TEST_CASE("no proxy is used that the settings do not name", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    ::setenv("https_proxy", "http://127.0.0.1:1", 1);
    const auto direct = site.run(site.peer(), get("/"));
    ::unsetenv("https_proxy");
    CHECK(direct);
    HttpPeer through = site.peer();
    through.proxy = "http://127.0.0.1:1";
    CHECK(site.run(through, get("/")).error().code == Errc::Unreachable);
}

TEST_CASE("a transfer may end the client in its last callback", "[replicator][http]") {
    ClientSite site;
    Router router;
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    bool done = false;
    ClientEvents events;
    events.done = [&](const Result<HttpReply>& reply) {
        CHECK(reply);
        site.client.reset();
        done = true;
    };
    site.client->start(site.peer(), get("/"), std::move(events)).detach();
    site.until([&] { return done; });
}

TEST_CASE("the blocking client posts and gets over one connection", "[replicator][http]") {
    Site site;
    Router router;
    router.on("POST", "/", [](HttpRequest request, Responder respond) {
        CHECK(*request.header("content-type") == "application/json");
        respond.send(json_response(200, as_text(request.body)));
    });
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    int good = 0;
    site.meanwhile([&] {
        auto client = *SyncClient::make(&site.client_identity);
        for (int i = 0; i < 3; ++i) {
            const auto reply = client.get(site.peer(), "/");
            good += reply && text(reply->body) == "hello";
        }
        const auto posted = client.post(site.peer(), "/", "{\"a\":1}");
        good += posted && text(posted->body) == "{\"a\":1}";
    });
    CHECK(good == 4);
}
