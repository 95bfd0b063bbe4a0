// Relays over real TLS on loopback: a client, the owner's replicator, the host's, and a system.
#include "replicator/relay/endpoint_list.h"
#include "replicator/relay/relay_list.h"
#include "tests/replicator/peer/test_trust.h"
#include "tests/replicator/relay/plain_socket.h"
#include "vault/base/file.h"

#include <filesystem>

namespace holdfast::replicator::test {
namespace {

using holdfast::test::random_bytes;

void open_endpoint(const TestTrust& host, const RunningSystem& running) {
    const std::string path = endpoints_path(host.settings().run, running.owner, running.system);
    must(make_folders(path.substr(0, path.rfind('/'))));
    must(write_file_durably(path, as_view(endpoints_text(running)), 0644));
}

RunningSystem epr_of(const TestTrust& owner, std::uint16_t port) {
    return {owner.id(),
            "epr",
            "epr-failover-1",
            1,
            {{"database", "127.0.0.1:" + std::to_string(port)}}};
}

void lead(const TestTrust& owner, const std::vector<Relay>& relays) {
    must(write_file_durably(owner.settings().state + "/relays.json", as_view(relays_text(relays)),
                            0644));
}

/// An owner whose system runs at a host, with the relay that leads there.
struct Site {
    Site() {
        owner.start();
        host.start();
        pair_up(host, owner);
        open_endpoint(host, epr_of(owner, system.port()));
        lead(owner, {relay()});
        REQUIRE(eventually([&] { return state().listening; }));
    }
    Relay relay() const {
        return {"127.0.0.1:" + std::to_string(port), host.id(), "epr", "database"};
    }
    RelayInfo state() const {
        const auto report = must(owner.control().relays());
        return report.relays.empty() ? RelayInfo() : report.relays[0];
    }
    /// What a client gets that sends `text`, ends, and reads to the end.
    Received ask(View text) const {
        const Fd client = connect_to(port);
        REQUIRE(client);
        send_all(client, text);
        end_sending(client);
        return receive(client, text.size() + 1);
    }
    bool answers() const { return ask(as_view("hello")).bytes.size() == 5; }

    EchoServer system;
    TestTrust owner{"Owner"};
    TestTrust host{"Host"};
    std::uint16_t port = free_port();
};

std::optional<Error> refusal_of(const TestTrust& caller, const TestTrust& host,
                                const std::string& path) {
    const auto loop = must(Loop::make());
    const auto dialer = must(TunnelDialer::make(*loop, &caller.tls()));
    HttpPeer peer;
    peer.base_url = "https://" + host.settings().address;
    peer.key = host.tls().key_hash();
    std::optional<Result<Tunnel>> outcome;
    dialer->open(peer, path, [&](Result<Tunnel> opened) { outcome = std::move(opened); });
    REQUIRE(loop->run_until([&] { return outcome.has_value(); }, patience_ms));
    if (*outcome) return std::nullopt;
    return outcome->error();
}

}  // namespace

TEST_CASE("a client at the owner's address reaches the system where it runs", "[relay]") {
    const Site site;
    const std::string text = random_bytes(3'000'000, 1);
    const Received got = site.ask(as_view(text));  // Ends its side first, and still gets all.
    CHECK_FALSE(got.broken);
    CHECK(as_text(got.bytes) == text);
    REQUIRE(eventually([&] { return site.state().open == 0; }));
    CHECK(site.state().carried == 1);
    CHECK(site.state().last_error.empty());
    CHECK(site.state().partner_name == "Host");
}

TEST_CASE("a client that reads late gets every byte, and many clients do not mix", "[relay]") {
    const Site site;
    std::vector<std::thread> clients;
    std::atomic<int> whole{0};
    for (std::uint64_t i = 0; i < 12; ++i) {
        clients.emplace_back([&, i] {
            const std::string text = random_bytes(i == 0 ? 24'000'000 : 200'000, i);
            const Fd client = connect_to(site.port);
            std::thread sender([&] {
                send_all(client, as_view(text));
                end_sending(client);
            });
            if (i != 0) sender.join();  // Small enough to wait whole in the queues.
            const Received got = receive(client, text.size() + 1);
            if (i == 0) sender.join();
            if (!got.broken && as_text(got.bytes) == text) ++whole;
        });
    }
    for (std::thread& one : clients) one.join();
    CHECK(whole == 12);
    CHECK(site.system.connections() == 12);
}

TEST_CASE("nobody but the owner reaches an owner's system", "[relay]") {
    Site site;
    TestTrust other("Other"), stranger("Stranger");
    other.start();
    pair_up(site.host, other);
    CHECK_FALSE(refusal_of(site.owner, site.host, "/run/epr/database"));
    const auto foreign = refusal_of(other, site.host, "/run/epr/database");
    REQUIRE(foreign);
    CHECK(foreign->code == Errc::NotFound);
    const auto unknown = refusal_of(stranger, site.host, "/run/epr/database");
    REQUIRE(unknown);
    CHECK(unknown->code == Errc::Denied);
    const std::string owner = site.owner.id().hex();
    for (const std::string& path :
         {"/run/..%2F" + owner + "%2Fepr/database", "/run/" + owner + "/epr/database",
          "/run/%2e%2e/" + owner, std::string("/run/epr/other")}) {
        const auto refused = refusal_of(other, site.host, path);
        REQUIRE(refused);
        CHECK(refused->code == Errc::NotFound);
    }
    CHECK(site.system.connections() <= 1);
}

TEST_CASE("an endpoint that is not this machine's own is not connected to", "[relay]") {
    const Site site;
    RunningSystem elsewhere = epr_of(site.owner, site.system.port());
    elsewhere.endpoints[0].address = "192.0.2.1:5432";
    open_endpoint(site.host, elsewhere);
    const auto refused = refusal_of(site.owner, site.host, "/run/epr/database");
    REQUIRE(refused);
    CHECK(refused->code == Errc::Denied);
    RunningSystem swapped = epr_of(site.host, site.system.port());
    const std::string path = endpoints_path(site.host.settings().run, site.owner.id(), "epr");
    must(write_file_durably(path, as_view(endpoints_text(swapped)), 0644));
    CHECK(refusal_of(site.owner, site.host, "/run/epr/database")->code == Errc::Denied);
}

TEST_CASE("a host that is away costs the connection, is told, and is found again", "[relay]") {
    Site site;
    site.host.stop();
    const Received got = site.ask(as_view("hello"));
    CHECK(got.bytes.empty());
    REQUIRE(eventually([&] { return !site.state().last_error.empty(); }));
    CHECK(site.state().open == 0);
    CHECK(site.state().listening);
    CHECK(site.state().last_error_ms > 0);
    site.host.start();
    CHECK(eventually([&] { return site.answers(); }));
}

TEST_CASE("a host that ends cuts its clients, which do not take that for an end", "[relay]") {
    Site site;
    const Fd client = connect_to(site.port);
    REQUIRE(client);
    REQUIRE(send_all(client, as_view("hello")));
    REQUIRE(receive(client, 5).bytes.size() == 5);
    site.host.stop();
    const Received rest = receive(client, 1);
    CHECK(rest.broken);
    CHECK(eventually([&] { return site.state().open == 0; }));
}

TEST_CASE("a system that is not open yet is waited for by asking again", "[relay]") {
    const Site site;
    std::filesystem::remove_all(site.host.settings().run + "/endpoints");
    CHECK(site.ask(as_view("hello")).bytes.empty());
    REQUIRE(eventually([&] { return !site.state().last_error.empty(); }));
    CHECK(site.state().last_error.find("does not run there") != std::string::npos);
    open_endpoint(site.host, epr_of(site.owner, site.system.port()));
    CHECK(site.answers());
}

TEST_CASE("a relay that leads nowhere any more is closed with its connections", "[relay]") {
    const Site site;
    const Fd client = connect_to(site.port);
    REQUIRE(client);
    REQUIRE(send_all(client, as_view("hello")));
    REQUIRE(receive(client, 5).bytes.size() == 5);
    SECTION("when it is taken from the list") {
        lead(site.owner, {});
        CHECK(receive(client, 1).bytes.empty());
        CHECK(eventually([&] { return !connect_to(site.port); }));
    }
    SECTION("when it leads to another endpoint") {
        Relay other = site.relay();
        other.endpoint = "other";
        lead(site.owner, {other});
        CHECK(receive(client, 1).bytes.empty());
        CHECK(eventually([&] { return site.state().relay.endpoint == "other"; }));
    }
    SECTION("but not when the list cannot be read") {
        must(write_file_durably(site.owner.settings().state + "/relays.json",
                                as_view("{\"relays\": 5}")));
        REQUIRE(eventually([&] { return !must(site.owner.control().relays()).problem.empty(); }));
        REQUIRE(send_all(client, as_view("again")));
        CHECK(receive(client, 5).bytes.size() == 5);
    }
}

TEST_CASE("an address that is taken is told, and had as soon as it is free", "[relay]") {
    Site site;
    Relay taken = site.relay();
    {
        const EchoServer local;
        taken.listen = "127.0.0.1:" + std::to_string(local.port());
        lead(site.owner, {taken});
        REQUIRE(eventually([&] { return !site.state().problem.empty(); }));
        CHECK_FALSE(site.state().listening);
        CHECK(site.state().problem.find("taken") != std::string::npos);
    }
    CHECK(eventually([&] { return site.state().listening; }));
}

TEST_CASE("relays are listened to again after a restart", "[relay]") {
    Site site;
    site.owner.stop();
    site.owner.start();
    CHECK(eventually([&] { return site.state().listening; }));
    CHECK(site.answers());
}

TEST_CASE("a list of relays says what is wrong with it", "[relay]") {
    const Relay good{"127.0.0.1:1", TrustId{}, "epr", "database"};
    CHECK(must(parse_relays(relays_text({good}))) == std::vector<Relay>{good});
    Relay bad = good;
    SECTION("a name that is a path") {
        bad.system = "../epr";
    }
    SECTION("no port") {
        bad.listen = "127.0.0.1";
    }
    SECTION("a port that is none") {
        bad.listen = "127.0.0.1:70000";
    }
    CHECK_FALSE(parse_relays(relays_text({bad})));
    CHECK_FALSE(parse_relays(relays_text({good, good})));
    CHECK_FALSE(parse_relays("[]"));
}

}  // namespace holdfast::replicator::test
