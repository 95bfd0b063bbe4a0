#include "replicator/http/tunnel.h"

#include "http_fixture.h"

#include "replicator/loop/timer.h"

#include <sys/resource.h>

#include <cstdlib>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

// One end, with all that happened to it.
struct End {
    std::optional<Tunnel> tunnel;
    std::optional<Error> refused;
    Buffer got;
    bool ended = false;
    std::optional<Result<void>> closed;

    void take(Tunnel opened) {
        tunnel = std::move(opened);
        tunnel->on_data([this](View piece) { got.insert(got.end(), piece.begin(), piece.end()); });
        tunnel->on_end([this] { ended = true; });
        tunnel->on_closed([this](Result<void> why) { closed = std::move(why); });
    }
    Callback<void(Result<Tunnel>)> opener() {
        return [this](Result<Tunnel> opened) {
            if (opened) return take(std::move(*opened));
            refused = opened.error();
        };
    }
    bool whole() const { return closed && *closed; }
};

// The server's end gives back what it gets, at the pace at which the client takes it.
struct Echo {
    std::optional<Tunnel> tunnel;
    std::optional<Result<void>> closed;

    TunnelHandler handler() {
        return [this](const HttpRequest&, Tunnel opened) -> Result<void> {
            tunnel = std::move(opened);
            tunnel->on_data([this](View piece) {
                if (!tunnel->write(Buffer(piece.begin(), piece.end()))) tunnel->pause();
            });
            tunnel->on_room([this] { tunnel->resume(); });
            tunnel->on_end([this] { tunnel->end(); });
            tunnel->on_closed([this](Result<void> why) { closed = std::move(why); });
            return {};
        };
    }
};

struct TunnelSite : Site {
    std::unique_ptr<TunnelDialer> dialer = *TunnelDialer::make(*loop, &client_identity);

    void open(End& end, const std::string& path) {
        dialer->open(peer(), path, end.opener());
        until([&] { return end.tunnel || end.refused; });
    }
    ~TunnelSite() { dialer.reset(); }
};

}  // namespace

TEST_CASE("a tunnel echoes, and each direction ends by itself", "[replicator][http]") {
    TunnelSite site;
    End server;
    KeyHash key;
    Router router;
    router.on_tunnel("/relay/{system}", [&](const HttpRequest& request, Tunnel opened) {
        key = *request.peer_key;
        CHECK(request.param("system") == "pas");
        server.take(std::move(opened));
        return Result<void>();
    });
    site.serve(std::move(router));
    End client;
    site.open(client, "/relay/pas");
    REQUIRE(client.tunnel);
    CHECK(key == site.client_identity.key_hash());
    client.tunnel->write(Buffer{'a', 'b'});
    client.tunnel->write(Buffer{'c'});
    client.tunnel->end();
    site.until([&] { return server.ended; });
    CHECK(text(server.got) == "abc");
    CHECK_FALSE(client.ended);
    // The client has ended; the server speaks on.
    const Buffer answer = pattern(3'000'000);
    server.tunnel->write(answer);
    site.until([&] { return client.got.size() == answer.size(); });
    CHECK(client.got == answer);
    CHECK_FALSE(client.closed);
    server.tunnel->end();
    site.until([&] { return client.closed && server.closed; });
    CHECK(client.ended);
    CHECK(client.whole());
    CHECK(server.whole());
}

TEST_CASE("a tunnel without a byte may end too", "[replicator][http]") {
    TunnelSite site;
    Echo echo;
    Router router;
    router.on_tunnel("/relay", echo.handler());
    site.serve(std::move(router));
    End client;
    site.open(client, "/relay");
    client.tunnel->end();
    site.until([&] { return client.closed && echo.closed; });
    CHECK(client.whole());
    CHECK(client.got.empty());
}

TEST_CASE("64 MiB come back whole through a slow reader in bounded memory", "[replicator][http]") {
    TunnelSite site;
    Echo echo;
    Router router;
    router.on_tunnel("/relay", echo.handler());
    site.serve(std::move(router));
    std::optional<Tunnel> tunnel;
    auto timer = *Timer::make(*site.loop);
    const Buffer block = pattern(100'003);
    constexpr std::size_t blocks = 640;
    std::size_t sent = 0;
    std::size_t got = 0;
    std::size_t since_pause = 0;
    bool equal = true;
    bool paused = false;
    bool while_paused = false;
    std::size_t ahead_max = 0;
    std::optional<Result<void>> closed;
    const std::function<void()> feed = [&] {
        while (sent < blocks) {
            ++sent;
            if (!tunnel->write(block)) return;
        }
        tunnel->end();
    };
    site.dialer->open(site.peer(), "/relay", [&](Result<Tunnel> opened) {
        REQUIRE(opened);
        tunnel = std::move(*opened);
        tunnel->on_room(feed);
        tunnel->on_closed([&](Result<void> why) { closed = std::move(why); });
        tunnel->on_data([&](View piece) {
            while_paused = while_paused || paused;
            for (const std::uint8_t b : piece) equal = equal && b == block[got++ % block.size()];
            ahead_max = std::max(ahead_max, sent * block.size() - got);
            since_pause += piece.size();
            if (since_pause < (4u << 20)) return;
            since_pause = 0;
            paused = true;
            tunnel->pause();
            timer.once(5, [&] {
                paused = false;
                tunnel->resume();
            });
        });
        feed();
    });
    site.until([&] { return closed && echo.closed; });
    CHECK(*closed);
    CHECK(*echo.closed);
    CHECK(got == blocks * block.size());
    CHECK(equal);
    CHECK_FALSE(while_paused);
    CHECK(ahead_max < (24u << 20));  // Two queues, and the kernel's socket buffers.
}

TEST_CASE("a tunnel whose other end is let go is cut, not ended", "[replicator][http]") {
    TunnelSite site;
    End server;
    Router router;
    router.on_tunnel("/relay", [&](const HttpRequest&, Tunnel opened) {
        server.take(std::move(opened));
        return Result<void>();
    });
    site.serve(std::move(router));
    End client;
    site.open(client, "/relay");
    client.tunnel->write(Buffer{'x'});
    SECTION("by the client") {
        site.until([&] { return !server.got.empty(); });
        client.tunnel.reset();
        site.until([&] { return server.closed.has_value(); });
        CHECK_FALSE(server.whole());
        CHECK_FALSE(server.ended);
        server.tunnel->write(Buffer{'y'});  // Harmless.
        server.tunnel->end();
    }
    SECTION("by the server") {
        site.until([&] { return !server.got.empty(); });
        server.tunnel.reset();
        site.until([&] { return client.closed.has_value(); });
        CHECK_FALSE(client.whole());
    }
    SECTION("with the whole server") {
        site.server.reset();
        site.until([&] { return client.closed.has_value(); });
        CHECK_FALSE(client.whole());
    }
    SECTION("with the whole dialer") {
        site.until([&] { return !server.got.empty(); });
        site.dialer.reset();
        CHECK(client.closed);
        site.until([&] { return server.closed.has_value(); });
        CHECK_FALSE(server.whole());
    }
    SECTION("when one side alone has ended") {
        client.tunnel->end();
        site.until([&] { return server.ended; });
        server.tunnel.reset();
        site.until([&] { return client.closed.has_value(); });
        CHECK_FALSE(client.whole());
    }
}

TEST_CASE("a cut gets through although the other side is full", "[replicator][http]") {
    TunnelSite site;
    End server;
    Router router;
    router.on_tunnel("/relay", [&](const HttpRequest&, Tunnel opened) {
        server.take(std::move(opened));
        server.tunnel->pause();
        return Result<void>();
    });
    site.serve(std::move(router));
    End client;
    site.open(client, "/relay");
    for (int i = 0; i < 400; ++i) client.tunnel->write(Buffer(100'000));
    auto timer = *Timer::make(*site.loop);
    bool stuck = false;
    timer.once(100, [&] { stuck = true; });
    site.until([&] { return stuck; });
    CHECK(server.got.empty());
    client.tunnel.reset();
    server.tunnel->resume();
    site.until([&] { return server.closed.has_value(); });
    CHECK_FALSE(server.whole());
}

TEST_CASE("a tunnel may be refused, with its reason in the kind of error", "[replicator][http]") {
    TunnelSite site;
    Router router;
    router.on("GET", "/page", say("a page"));
    router.on_tunnel("/relay", [](const HttpRequest&, const Tunnel&) -> Result<void> {
        return Error{Errc::Denied, "not for you"};
    });
    site.serve(std::move(router));
    End refused;
    site.open(refused, "/relay");
    REQUIRE(refused.refused);
    CHECK(refused.refused->code == Errc::Denied);
    End missing;
    site.open(missing, "/nothing");
    REQUIRE(missing.refused);
    CHECK(missing.refused->code == Errc::NotFound);
    End page;
    site.open(page, "/page");
    CHECK(page.refused);
    CHECK(error_code_of(site.get("/relay")->body) == "upgrade_required");
}

TEST_CASE("a tunnel to a server with another key is not opened", "[replicator][http]") {
    TunnelSite site;
    Router router;
    bool called = false;
    router.on_tunnel("/relay", [&](const HttpRequest&, const Tunnel&) -> Result<void> {
        called = true;
        return {};
    });
    site.serve(std::move(router));
    HttpPeer wrong = site.peer();
    wrong.key = make_identity("server").key_hash();
    End client;
    site.dialer->open(wrong, "/relay", client.opener());
    site.until([&] { return client.refused.has_value(); });
    CHECK(client.refused->code == Errc::Denied);
    wrong.key.reset();
    End careless;
    site.dialer->open(wrong, "/relay", careless.opener());
    CHECK_FALSE(careless.refused);
    site.until([&] { return careless.refused.has_value(); });
    CHECK(careless.refused->code == Errc::Invalid);
    wrong = site.peer();
    wrong.base_url = "https://127.0.0.1:1";
    End nobody;
    site.dialer->open(wrong, "/relay", nobody.opener());
    site.until([&] { return nobody.refused.has_value(); });
    CHECK(nobody.refused->code == Errc::Unreachable);
    wrong.base_url = "https://holdfast-no-such-host.invalid";
    End nameless;
    site.dialer->open(wrong, "/relay", nameless.opener());
    site.until([&] { return nameless.refused.has_value(); });
    CHECK(nameless.refused->code == Errc::Unreachable);
    CHECK_FALSE(called);
}

TEST_CASE("many tunnels run side by side, by name and by UNIX socket", "[replicator][http]") {
    TunnelSite site;
    std::vector<std::unique_ptr<Echo>> echoes;
    Router router;
    router.on_tunnel("/relay", [&](const HttpRequest& request, Tunnel opened) {
        echoes.push_back(std::make_unique<Echo>());
        return echoes.back()->handler()(request, std::move(opened));
    });
    site.serve(std::move(router));
    char folder[] = "/tmp/holdfast-tunnel-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/s";
    REQUIRE(site.server->listen_unix(path, 0600));
    HttpPeer named = site.peer();
    named.base_url = "https://localhost:" + std::to_string(site.port);
    const HttpPeer local{"http://localhost", path, std::nullopt, ""};
    std::vector<std::unique_ptr<End>> ends;
    for (int i = 0; i < 20; ++i) {
        ends.push_back(std::make_unique<End>());
        site.dialer->open(i % 2 == 0 ? named : local, "/relay", ends.back()->opener());
    }
    const auto all = [&](auto&& holds) {
        return std::all_of(ends.begin(), ends.end(), [&](const auto& end) { return holds(*end); });
    };
    site.until([&] { return all([](End& end) { return end.tunnel.has_value(); }); });
    const Buffer words = pattern(200'000);
    for (auto& end : ends) {
        end->tunnel->write(words);
        end->tunnel->end();
    }
    site.until([&] { return all([](End& end) { return end.closed.has_value(); }); });
    CHECK(all([&](End& end) { return end.whole() && end.got == words; }));
    site.server.reset();
    ::rmdir(folder);
}

TEST_CASE("tunnel throughput and latency over loopback", "[.bench]") {
    TunnelSite site;
    Echo echo;
    Router router;
    router.on_tunnel("/echo", echo.handler());
    std::size_t sunk = 0;
    std::optional<Tunnel> sink;
    router.on_tunnel("/sink", [&](const HttpRequest&, Tunnel opened) {
        sink = std::move(opened);
        sink->on_data([&](View piece) { sunk += piece.size(); });
        return Result<void>();
    });
    std::optional<Tunnel> source;
    router.on_tunnel("/source", [&](const HttpRequest&, Tunnel opened) {
        source = std::move(opened);
        const auto feed = [&] {
            while (source->write(Buffer(64 * 1024))) {
            }
        };
        source->on_room(feed);
        feed();
        return Result<void>();
    });
    site.serve(std::move(router));
    constexpr std::size_t volume = 512u << 20;
    // Of processor time, both ends together: the machine may be busy with other things.
    const auto cpu_seconds = [] {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    };
    {
        End up;
        site.open(up, "/sink");
        const double start = cpu_seconds();
        const std::function<void()> feed = [&] {
            while (up.tunnel->write(Buffer(64 * 1024))) {
            }
        };
        up.tunnel->on_room(feed);
        feed();
        site.until([&] { return sunk >= volume; });
        WARN("client to server: " << 512 / (cpu_seconds() - start) << " MiB per CPU second");
    }
    {
        End down;
        std::size_t got = 0;
        site.open(down, "/source");
        down.tunnel->on_data([&](View piece) { got += piece.size(); });
        const double start = cpu_seconds();
        site.until([&] { return got >= volume; });
        WARN("server to client: " << 512 / (cpu_seconds() - start) << " MiB per CPU second");
    }
    End ping;
    site.open(ping, "/echo");
    const double start = cpu_seconds();
    constexpr int rounds = 2000;
    for (int i = 0; i < rounds; ++i) {
        ping.got.clear();
        ping.tunnel->write(Buffer(100));
        site.until([&] { return ping.got.size() == 100; });
    }
    WARN("round trip of 100 bytes: " << (cpu_seconds() - start) / rounds * 1e6 << " us of CPU");
}
