#include "replicator/loop/tcp.h"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

constexpr std::uint64_t settled_ms_max = 20'000;

/// One end, with all that happened to it.
struct End {
    std::optional<TcpStream> stream;
    Buffer got;
    bool ended = false;
    std::optional<Result<void>> closed;

    void take(TcpStream opened) {
        stream = std::move(opened);
        stream->on_data([this](View piece) { got.insert(got.end(), piece.begin(), piece.end()); });
        stream->on_end([this] { ended = true; });
        stream->on_closed([this](Result<void> why) { closed = std::move(why); });
    }
    bool whole() const { return closed && *closed; }
    bool cut() const { return closed && !*closed; }
};

struct Pair {
    Pair() {
        auto listening = TcpListener::listen(
            *loop, {"127.0.0.1", 0}, [this](TcpStream stream) { server.take(std::move(stream)); });
        REQUIRE(listening);
        listener = std::move(*listening);
        auto opened = TcpStream::connect(*loop, {"127.0.0.1", listener->port()});
        REQUIRE(opened);
        client.take(std::move(*opened));
    }
    void until(const std::function<bool()>& holds) {
        REQUIRE(loop->run_until([&] { return holds(); }, settled_ms_max));
    }

    std::unique_ptr<Loop> loop = *Loop::make();
    std::optional<TcpListener> listener;
    End server;
    End client;
};

}  // namespace

TEST_CASE("an address is numeric, with a port", "[replicator][loop]") {
    CHECK(parse_tcp_address("127.0.0.1:80")->port == 80);
    CHECK(parse_tcp_address("[::1]:80")->address == "::1");
    for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:80x", "127.0.0.1:70000"}) {
        CHECK_FALSE(parse_tcp_address(bad));
    }
    const auto loop = *Loop::make();
    CHECK(TcpStream::connect(*loop, {"localhost", 80}).error().code == Errc::Invalid);
}

TEST_CASE("a stream may be written to and ended before it is connected", "[replicator][loop]") {
    Pair pair;
    const Buffer words(3'000'000, 7);
    pair.client.stream->write(words);
    pair.client.stream->end();
    pair.until([&] { return pair.server.ended; });
    CHECK(pair.server.got == words);
    CHECK_FALSE(pair.client.ended);
    pair.server.stream->write(Buffer{1, 2, 3});  // The other direction is still open.
    pair.server.stream->end();
    pair.until([&] { return pair.client.whole() && pair.server.whole(); });
    CHECK(pair.client.got == Buffer{1, 2, 3});
}

TEST_CASE("a paused stream holds its sender", "[replicator][loop]") {
    Pair pair;
    pair.until([&] { return pair.server.stream.has_value(); });
    pair.server.stream->pause();
    std::size_t sent = 0;
    const std::size_t all = 64;
    const Buffer block(1u << 20, 1);
    const std::function<void()> feed = [&] {
        while (sent < all) {
            ++sent;
            if (!pair.client.stream->write(block)) return;
        }
        pair.client.stream->end();
    };
    pair.client.stream->on_room(feed);
    feed();
    CHECK_FALSE(pair.loop->run_until([&] { return sent == all; }, 200));
    CHECK(pair.server.got.empty());
    pair.server.stream->resume();
    pair.until([&] { return pair.server.ended; });
    CHECK(pair.server.got.size() == all * block.size());
}

TEST_CASE("a stream that is let go early is cut, not ended", "[replicator][loop]") {
    Pair pair;
    pair.client.stream->write(Buffer{1});
    pair.until([&] { return !pair.server.got.empty(); });
    pair.client.stream.reset();
    pair.until([&] { return pair.server.closed.has_value(); });
    CHECK(pair.server.cut());
    CHECK_FALSE(pair.server.ended);
    pair.server.stream->write(Buffer{2});  // Harmless.
}

TEST_CASE("a stream may be let go by its own callback", "[replicator][loop]") {
    Pair pair;
    pair.until([&] { return pair.server.stream.has_value(); });
    pair.server.stream->on_data([&](View) { pair.server.stream.reset(); });
    pair.client.stream->write(Buffer{1});
    pair.until([&] { return pair.client.closed.has_value(); });
    CHECK(pair.client.cut());
}

TEST_CASE("nobody there is told as unreachable", "[replicator][loop]") {
    Pair pair;
    const std::uint16_t port = pair.listener->port();
    pair.until([&] { return pair.server.stream.has_value(); });
    CHECK(TcpListener::listen(*pair.loop, {"127.0.0.1", port}, [](const TcpStream&) {})
              .error()
              .code == Errc::Conflict);
    CHECK(TcpListener::listen(*pair.loop, {"192.0.2.1", 0}, [](const TcpStream&) {}).error().code ==
          Errc::NotFound);
    pair.listener.reset();
    End nobody;
    auto opened = TcpStream::connect(*pair.loop, {"127.0.0.1", port});
    REQUIRE(opened);
    nobody.take(std::move(*opened));
    nobody.stream->write(Buffer{1});
    nobody.stream->end();
    pair.until([&] { return nobody.closed.has_value(); });
    CHECK(nobody.cut());
    CHECK(nobody.closed->error().code == Errc::Unreachable);
}
