// Bodies in both directions: streamed, held back, cut.
#include "http_fixture.h"

#include "replicator/loop/timer.h"
#include "replicator/loop/worker_pool.h"

#include <sys/resource.h>

#include <fstream>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

constexpr std::size_t upload_bytes = 64u << 20;

// AddressSanitizer keeps freed memory for a while, so that nothing can be said then.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t grown_bytes_max = 1u << 30;
#else
constexpr std::size_t grown_bytes_max = 16u << 20;
#endif

// Resident bytes of this process now.
std::size_t resident() {
    std::ifstream in("/proc/self/statm");
    std::size_t total = 0;
    std::size_t pages = 0;
    in >> total >> pages;
    return pages * 4096;
}

std::size_t grown_since(std::size_t before) {
    const std::size_t now = resident();
    return now - std::min(now, before);
}

// A handler that keeps what arrives, as slowly as a test wants.
struct Sink {
    Buffer got;
    std::optional<BodyReader> body;
    std::optional<Responder> respond;
    bool ended = false;
    bool gone = false;
    std::atomic<std::size_t> pieces = 0;
    std::size_t largest = 0;

    UploadHandler handler(std::function<void(Sink&, View)> each = {}) {
        return [this, each](HttpRequest, BodyReader reader, Responder responder) {
            body = std::move(reader);
            respond = std::move(responder);
            body->on_end([this] {
                ended = true;
                respond->send({201, {}, {}});
            });
            body->on_gone([this] { gone = true; });
            body->on_piece([this, each](View piece) {
                ++pieces;
                largest = std::max(largest, piece.size());
                if (each) return each(*this, piece);
                got.insert(got.end(), piece.begin(), piece.end());
            });
        };
    }
};

}  // namespace

TEST_CASE("a streamed body arrives whole and in order", "[replicator][http]") {
    Site site;
    Sink sink;
    Router router;
    router.on_upload("PUT", "/pack", sink.handler(), upload_bytes);
    site.serve(std::move(router));
    for (const std::size_t bytes : {0ul, 1ul, 16'384ul, 65'536ul, 1'000'003ul}) {
        sink.got.clear();
        sink.ended = false;
        const Buffer sent = pattern(bytes);
        const auto reply = site.ask(upload("/pack", sent));
        REQUIRE(reply);
        CHECK(reply->status == 201);
        CHECK(sink.ended);
        CHECK(sink.got == sent);
    }
    CHECK_FALSE(sink.gone);
}

TEST_CASE("a slow consumer holds back a 64 MiB upload without storing it", "[replicator][http]") {
    Site site;
    Sink sink;
    Router router;
    auto timer = *Timer::make(*site.loop);
    std::size_t since_pause = 0;
    std::size_t total = 0;
    bool paused = false;
    bool while_paused = false;
    int pauses = 0;
    router.on_upload("PUT", "/pack", sink.handler([&](Sink& self, View piece) {
        while_paused = while_paused || paused;
        total += piece.size();
        since_pause += piece.size();
        if (since_pause < (2u << 20)) return;
        since_pause = 0;
        ++pauses;
        paused = true;
        self.body->pause();
        timer.once(5, [&] {
            paused = false;
            self.body->resume();
        });
    }),
                     upload_bytes);
    site.serve(std::move(router));
    Buffer block = pattern(1u << 20);
    std::size_t given = 0;
    ClientRequest request;
    request.method = "PUT";
    request.path = "/pack";
    request.source_bytes = upload_bytes;
    request.source = [&](std::span<std::uint8_t> room) -> BodyChunk {
        const std::size_t n = std::min({room.size(), upload_bytes - given, block.size()});
        std::copy_n(block.begin(), n, room.begin());
        given += n;
        return {BodyChunk::State::Bytes, n};
    };
    const std::size_t before = resident();
    const auto reply = site.ask(std::move(request));
    const std::size_t grown = grown_since(before);
    REQUIRE(reply);
    CHECK(reply->status == 201);
    CHECK(total == upload_bytes);
    CHECK(pauses >= 30);
    CHECK_FALSE(while_paused);
    CHECK(sink.largest <= 64 * 1024);
    CHECK(grown < grown_bytes_max);
}

TEST_CASE("pieces may go through workers while the body waits", "[replicator][http]") {
    Site site;
    Sink sink;
    Router router;
    auto pool = *WorkerPool::make(*site.loop, 2, 4);
    router.on_upload("PUT", "/pack", sink.handler([&](Sink& self, View piece) {
        self.body->pause();
        const auto submitted = pool->submit(
            [copy = Buffer(piece.begin(), piece.end())]() mutable { return std::move(copy); },
            [&](Buffer done) {
                self.got.insert(self.got.end(), done.begin(), done.end());
                self.body->resume();
            });
        REQUIRE(submitted);
    }),
                     upload_bytes);
    site.serve(std::move(router));
    const Buffer sent = pattern(5'000'000);
    CHECK(site.ask(upload("/pack", sent))->status == 201);
    CHECK(sink.got == sent);
}

TEST_CASE("an upload may be refused before it has come in", "[replicator][http]") {
    Site site;
    Router router;
    router.on_upload(
        "PUT", "/pack",
        [](const HttpRequest&, BodyReader, Responder respond) {
            respond.fail({Errc::Full, "no room"});
        },
        upload_bytes);
    router.on("GET", "/", [](const HttpRequest&, Responder respond) { respond.send({}); });
    site.serve(std::move(router));
    for (const std::size_t bytes : {100ul, 500'000ul, 30'000'000ul}) {
        const auto reply = site.ask(upload("/pack", Buffer(bytes)));
        REQUIRE(reply);
        CHECK(reply->status == 507);
        CHECK(error_code_of(reply->body) == "full");
    }
    CHECK(site.get("/")->status == 200);
}

TEST_CASE("a client that dies in mid-body is noticed once", "[replicator][http]") {
    Site site;
    Sink sink;
    Router router;
    router.on_upload("PUT", "/pack", sink.handler(), upload_bytes);
    site.serve(std::move(router));
    const std::string half =
        "PUT /pack HTTP/1.1\r\ncontent-length: 100000\r\n\r\n" + std::string(50'000, 'x');
    SECTION("by a reset") {
        site.meanwhile([&] {
            RawClient client(site.port, &site.client_identity);
            client.send(half);
            while (sink.pieces == 0) std::this_thread::yield();
            client.vanish();
        });
    }
    SECTION("by a clean end") {
        site.meanwhile([&] { RawClient(site.port, &site.client_identity).send(half); });
    }
    site.until([&] { return sink.gone; });
    CHECK_FALSE(sink.ended);
    CHECK(sink.respond->gone());
    sink.respond->send({});  // Harmless.
    sink.body->resume();
    site.until([&] { return site.server->connection_count() == 0; });
}

TEST_CASE("a client that dies while its body is held back is noticed", "[replicator][http]") {
    Site site;
    Sink sink;
    Router router;
    router.on_upload("PUT", "/pack", sink.handler([](Sink& self, View) { self.body->pause(); }),
                     upload_bytes);
    site.serve(std::move(router));
    site.meanwhile([&] {
        RawClient client(site.port, &site.client_identity);
        client.send("PUT /pack HTTP/1.1\r\ncontent-length: 100000\r\n\r\n" +
                    std::string(50'000, 'x'));
    });
    site.until([&] { return sink.gone; });
}

TEST_CASE("a client that does not wait for its answer is noticed", "[replicator][http]") {
    Site site;
    Router router;
    std::optional<Responder> kept;
    bool gone = false;
    router.on("GET", "/", [&](const HttpRequest&, Responder respond) {
        kept = std::move(respond);
        kept->on_gone([&] { gone = true; });
    });
    site.serve(std::move(router));
    site.meanwhile(
        [&] { RawClient(site.port, &site.client_identity).send("GET / HTTP/1.1\r\n\r\n"); });
    site.until([&] { return gone; });
    CHECK(kept->gone());
    kept->send({});
}

TEST_CASE("waiting costs no processor time", "[replicator][http]") {
    Site site;
    Router router;
    std::optional<Responder> kept;
    router.on("GET", "/",
              [&](const HttpRequest&, Responder respond) { kept = std::move(respond); });
    site.serve(std::move(router));
    const auto turns = [&] {
        rusage used{};
        getrusage(RUSAGE_THREAD, &used);
        return used.ru_utime.tv_sec * 1'000'000 + used.ru_utime.tv_usec +
               used.ru_stime.tv_sec * 1'000'000 + used.ru_stime.tv_usec;
    };
    long spent_us = 0;
    site.meanwhile([&] {
        RawClient client(site.port, &site.client_identity);
        client.send("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");  // One more, unread as yet.
        std::atomic<bool> measured = false;
        site.loop->post([&] {
            const long before = turns();
            auto timer = std::make_shared<Timer>(std::move(*Timer::make(*site.loop)));
            timer->once(300, [&, timer, before] {
                spent_us = turns() - before;
                kept->send({});
                measured = true;
                timer->stop();
            });
        });
        client.some();
    });
    CHECK(kept.has_value());
    CHECK(spent_us < 100'000);
    kept.reset();
}

TEST_CASE("a streamed answer of known length arrives whole", "[replicator][http]") {
    Site site;
    Router router;
    const Buffer block = pattern(300'000);
    std::size_t refused = 0;
    struct State {
        std::optional<ResponseStream> stream;
        std::size_t left = 200;
    };
    auto state = std::make_shared<State>();
    const std::function<void()> feed = [&, state] {
        while (state->left > 0) {
            --state->left;
            if (!state->stream->write(block) && state->left > 0) {
                ++refused;
                return;
            }
        }
        state->stream->end();
    };
    router.on("GET", "/pack", [&](const HttpRequest&, Responder respond) {
        state->stream = respond.stream(200, {}, block.size() * state->left);
        state->stream->on_room(feed);
        feed();
    });
    site.serve(std::move(router));
    const std::size_t before = resident();
    std::size_t at = 0;
    bool equal = true;
    ClientRequest request;
    request.path = "/pack";
    Result<HttpReply> reply = Error{Errc::Io, ""};
    site.meanwhile([&] {
        auto client = *SyncClient::make(&site.client_identity);
        reply = client.request(site.peer(), std::move(request), [&](View piece) {
            for (const std::uint8_t b : piece) equal = equal && b == block[at++ % block.size()];
            return Flow::Continue;
        });
    });
    REQUIRE(reply);
    CHECK(at == block.size() * 200);
    CHECK(equal);
    CHECK(refused > 10);
    CHECK(grown_since(before) < grown_bytes_max);
}

TEST_CASE("a streamed answer of unknown length goes out in chunks", "[replicator][http]") {
    Site site;
    Router router;
    auto timer = *Timer::make(*site.loop);
    std::optional<ResponseStream> stream;
    int n = 0;
    router.on("GET", "/events", [&](const HttpRequest&, Responder respond) {
        stream = respond.stream(200, {{"content-type", "text/event-stream"}});
        timer.every(5, [&] {
            stream->write(Buffer{'d', static_cast<std::uint8_t>('0' + n), '\n'});
            if (++n < 4) return;
            stream->end();
            timer.stop();
        });
    });
    site.serve(std::move(router));
    const auto reply = site.get("/events");
    REQUIRE(reply);
    CHECK(text(reply->body) == "d0\nd1\nd2\nd3\n");
    std::string old;
    n = 0;
    site.meanwhile([&] {
        RawClient client(site.port, &site.client_identity);
        client.send("GET /events HTTP/1.0\r\n\r\n");
        old = client.rest();
    });
    CHECK(old.ends_with("\r\n\r\nd0\nd1\nd2\nd3\n"));
    CHECK(old.find("chunked") == std::string::npos);
}

TEST_CASE("a listener to events that leaves is noticed without a write", "[replicator][http]") {
    Site site;
    Router router;
    std::optional<ResponseStream> stream;
    bool gone = false;
    router.on("GET", "/events", [&](const HttpRequest&, Responder respond) {
        stream = respond.stream(200, {});
        stream->on_gone([&] { gone = true; });
        stream->write(Buffer{'a'});
    });
    site.serve(std::move(router));
    site.meanwhile([&] {
        RawClient client(site.port, &site.client_identity);
        client.send("GET /events HTTP/1.1\r\n\r\n");
        client.some();
    });
    site.until([&] { return gone; });
    CHECK(stream->write(Buffer(100)));
    stream->end();
}

TEST_CASE("a reader that never reads is held, then closed", "[replicator][http]") {
    Site site;
    Router router;
    bool gone = false;
    std::optional<ResponseStream> stream;
    bool refused = false;
    router.on("GET", "/", [&](const HttpRequest&, Responder respond) {
        stream = respond.stream(200, {}, 1u << 30);
        stream->on_gone([&] { gone = true; });
        const std::function<void()> feed = [&] {
            while (stream->write(Buffer(256 * 1024))) {
            }
            refused = true;
        };
        stream->on_room(feed);
        feed();
    });
    ServerOptions options;
    options.limits.idle_seconds = 1;
    site.serve(std::move(router), options);
    std::atomic<bool> over = false;
    std::thread thread([&] {
        RawClient client(site.port, &site.client_identity);
        client.send("GET / HTTP/1.1\r\n\r\n");
        while (!over) std::this_thread::yield();
    });
    const bool noticed = site.loop->run_until([&] { return gone; }, patience_ms);
    over = true;
    thread.join();
    CHECK(noticed);
    CHECK(refused);
}

TEST_CASE("a stream that breaks off is no whole answer for the client", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/sized", [](const HttpRequest&, Responder respond) {
        auto stream = respond.stream(200, {}, 1000);
        stream.write(Buffer(10));
    });
    router.on("GET", "/short", [](const HttpRequest&, Responder respond) {
        auto stream = respond.stream(200, {}, 1000);
        stream.write(Buffer(10));
        stream.end();
    });
    router.on("GET", "/chunked", [](const HttpRequest&, Responder respond) {
        auto stream = respond.stream(200, {});
        stream.write(Buffer(10));
    });
    site.serve(std::move(router));
    for (const char* path : {"/sized", "/short", "/chunked"}) {
        const auto reply = site.get(path);
        REQUIRE_FALSE(reply);
        CHECK(reply.error().code == Errc::Unreachable);
    }
}

TEST_CASE("a server that goes takes its exchanges along", "[replicator][http]") {
    Site site;
    Router router;
    std::optional<Responder> kept;
    bool gone = false;
    router.on("GET", "/", [&](const HttpRequest&, Responder respond) {
        kept = std::move(respond);
        kept->on_gone([&] { gone = true; });
    });
    site.serve(std::move(router));
    Result<HttpReply> reply = HttpReply{};
    std::thread thread([&] {
        auto client = *SyncClient::make(&site.client_identity);
        reply = client.get(site.peer(), "/");
    });
    site.until([&] { return kept.has_value(); });
    site.server.reset();
    CHECK(gone);
    kept->send({});
    std::atomic<bool> over = false;
    std::thread waiter([&] {
        thread.join();
        over = true;
        site.loop->post([] {});
    });
    CHECK(site.loop->run_until([&] { return over.load(); }, patience_ms));
    waiter.join();
    CHECK_FALSE(reply);
}
