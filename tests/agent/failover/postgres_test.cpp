// A real PostgreSQL, brought back: from a snapshot, over a mount, in a room, with the checks of its
// plan asked by the engine, and its users let in by password through a door.
#include "agent/config/systems.h"
#include "agent/failover/older_term.h"
#include "agent/stream/streamer.h"
#include "tests/agent/failover/failover_home.h"
#include "tests/harness/postgres_server.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;

namespace {

std::string replaced(std::string text, const std::string& word, const std::string& value) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += value.size()) {
        text.replace(at, word.size(), value);
    }
    return text;
}

void add_database(FailoverHome& node, const PostgresServer& server, std::uint16_t relay,
                  const std::string& stream = "") {
    std::string text = R"(name = "epr"
title = "Electronic patient record"
[objectives]
data_age = "15m"
time_to_run = "30m"
[[source]]
name = "database"
kind = "postgres"
host = "{socket}"
port = {port}
user = "postgres"
sslmode = "disable"
{stream}
[plan]
runtime = "postgres"
hosts = []
[[check]]
name = "allergies are there"
kind = "sql"
source = "database"
query = "select count(*) = 1000 from allergies"
expect = "t"
[[endpoint]]
name = "database"
source = "database"
port = 5432
relay = "127.0.0.1:{relay}"
[fence]
kind = "attested"
say = "Is it off?"
)";
    text = replaced(text, "{stream}", stream);
    text = replaced(text, "{socket}", server.socket_dir());
    text = replaced(text, "{port}", std::to_string(server.port()));
    node.write(node.home().systems + "/epr.toml", replaced(text, "{relay}", std::to_string(relay)));
    const std::string runtime = R"(name = "postgres"
kind = "command"
user = "postgres"
source = "database"
start = ["{bin}/postgres", "{postgres_options}"]
ready = ["{bin}/pg_isready", "-q", "-h", "{address}", "-p", "{port}"]
stop_signal = "INT"
stop_seconds = 30
)";
    node.write(node.home().runtimes + "/postgres.toml",
               replaced(runtime, "{bin}", postgres_bin_dir()));
}

/// Of all files of the vault: what is there, and how long it is.
std::string vault_listing(const FailoverHome& node) {
    std::vector<std::string> lines;
    for (const auto& one : std::filesystem::recursive_directory_iterator(node.home().vault)) {
        if (!one.is_regular_file()) continue;
        lines.push_back(one.path().string() + " " + std::to_string(one.file_size()) + "\n");
    }
    std::sort(lines.begin(), lines.end());
    return std::accumulate(lines.begin(), lines.end(), std::string());
}

void check_drill(Engine& engine, const RunOrder& order) {
    const auto drill = engine.order_drill(order);
    REQUIRE(drill);
    const auto drilled = engine.wait(drill->id, run_ms_max);
    REQUIRE(drilled);
    INFO(run_json(*drilled));
    CHECK(drilled->state == RunState::Succeeded);
}

/// The old server is back while the system is held under term 1.
void check_older_term(FailoverHome& node, Engine& engine, PostgresServer& server) {
    const auto settings = load_system(node.home(), "epr");
    REQUIRE(settings);
    const TrustId own = open_node(node.home())->settings.trust;
    const std::string before = vault_listing(node);
    const auto silent = check_term(node.home(), *settings, system_clock());
    REQUIRE_FALSE(silent);
    CHECK(silent.error().code == Errc::Denied);
    INFO(silent.error().message);
    CHECK(silent.error().message.find("under term 1 since") != std::string::npos);
    CHECK(silent.error().message.find("older copy (term 0). Nothing was copied.") !=
          std::string::npos);
    CHECK(silent.error().message.find("TWO COPIES") == std::string::npos);
    CHECK(*live_copies_text(engine.store(), own, *settings) == "");

    REQUIRE(server.start());
    const auto live = check_term(node.home(), *settings, system_clock());
    REQUIRE_FALSE(live);
    CHECK(live.error().message.find("TWO COPIES ARE LIVE") != std::string::npos);
    CHECK(live_copies_text(engine.store(), own, *settings)->find("TWO COPIES ARE LIVE") == 0);
    CHECK(vault_listing(node) == before);

    SystemSettings moved = *settings;
    moved.term = 1;  // By hand: the sources are where it runs now.
    CHECK(check_term(node.home(), moved, system_clock()));
    CHECK(*live_copies_text(engine.store(), own, moved) == "");
}

}  // namespace

TEST_CASE("a PostgreSQL system is drilled, then failed over and used by password", "[failover]") {
    if (!can_run_systems()) return;
    PostgresOptions options;
    options.access_rules = {"local replication all trust"};
    auto server = PostgresServer::create(options);
    INFO((server ? "" : server.error().message));
    REQUIRE(server);
    REQUIRE(server->sql("CREATE DATABASE epr"));
    REQUIRE(server->sql("CREATE ROLE ward LOGIN PASSWORD 'secret'"));
    REQUIRE(
        server->sql("CREATE TABLE allergies AS SELECT g AS id, 'nuts ' || g AS what"
                    " FROM generate_series(1, 1000) g; GRANT ALL ON allergies TO ward",
                    "epr"));
    FailoverHome node;
    const std::uint16_t relay = free_port();
    add_database(node, *server, relay);
    node.snapshot("epr");
    REQUIRE(server->stop());  // The supplier is gone.

    const auto engine = node.engine();
    RunOrder order;
    order.system = "epr";
    check_drill(*engine, order);
    CHECK(node.remains() == "");

    const TestPerson ada = node.add_person("Ada", {vault::Role::Approver});
    const TestPerson ben = node.add_person("Ben", {vault::Role::Approver});
    const auto ordered = engine->order_failover(order);
    REQUIRE(ordered);
    const auto waiting = engine->wait(ordered->id, run_ms_max);
    REQUIRE(waiting);
    INFO(run_json(*waiting));
    REQUIRE(waiting->state == RunState::Waiting);
    const std::string users = "host=127.0.0.1 port=" + std::to_string(relay) +
                              " dbname=epr user=ward password=secret connect_timeout=10";
    CHECK_FALSE(PostgresClient::open(users));  // Nobody gets in before it is opened.
    REQUIRE(node.approve(*engine, waiting->id, ada, "unplugged"));
    REQUIRE(node.approve(*engine, waiting->id, ben, "seen it"));
    const auto open =
        engine->wait(ordered->id, run_ms_max, [](const Run& run) { return is_over(run.state); });
    REQUIRE(open);
    INFO(run_json(*open));
    REQUIRE(open->state == RunState::Succeeded);
    auto client = PostgresClient::open(users);
    INFO((client ? "" : client.error().message));
    REQUIRE(client);
    CHECK((*client->sql("select count(*) from allergies"))[0][0] == "1000");
    REQUIRE(client->sql("insert into allergies values (1001, 'dust')"));
    CHECK((*client->sql("select count(*) from allergies"))[0][0] == "1001");
    check_older_term(node, *engine, *server);
    const std::string wrong = replaced(users, "secret", "wrong");
    CHECK_FALSE(PostgresClient::open(wrong));
    REQUIRE(engine->stop(open->id));
    const auto closed = engine->wait(open->id, run_ms_max,
                                     [](const Run& run) { return run.state == RunState::Closed; });
    REQUIRE(closed);
    CHECK(closed->state == RunState::Closed);
    CHECK_FALSE(PostgresClient::open(users));
}

namespace {

/// Streams the log of "epr" until `enough` has been told, each `every_ms` if that is not 0.
void stream_until(const FailoverHome& node,
                  const std::function<bool(const StreamEvent& event)>& enough,
                  const Clock& clock = system_clock(), std::int64_t every_ms = 0) {
    auto system = load_system(node.home(), "epr");
    REQUIRE(system);
    auto& source = std::get<PostgresSourceSettings>(system->sources.at(0).of);
    if (every_ms != 0) source.stream_ms = every_ms;
    std::atomic<bool> stop{false};
    StreamSettings settings;
    settings.state = node.home().state;
    settings.open_vault = [&]() -> Result<std::unique_ptr<vault::Vault>> {
        return std::move(HF_TRY(open_node(node.home())).vault);
    };
    settings.in_use = [](const vault::VaultReader&) { return std::set<vault::SnapshotId>(); };
    settings.may_go_on = [&] { return check_term(node.home(), *system, system_clock()); };
    settings.tell = [&](const StreamEvent& event) {
        INFO(event.text);
        CHECK(event.kind != StreamEvent::Kind::Problem);
        if (enough(event) || event.kind == StreamEvent::Kind::Problem) stop = true;
    };
    settings.stop = &stop;
    const auto done = stream_system(*system, clock, settings);
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
}

}  // namespace

TEST_CASE("a drill brings in the log that was streamed after the snapshot", "[failover]") {
    if (!can_run_systems()) return;
    PostgresOptions options;
    options.access_rules = {"local replication all trust"};
    options.settings = {"max_slot_wal_keep_size = 1GB"};
    auto server = PostgresServer::create(options);
    REQUIRE(server);
    REQUIRE(server->sql("CREATE DATABASE epr"));
    REQUIRE(server->sql("CREATE TABLE allergies (id int, what text)", "epr"));
    FailoverHome node;
    add_database(node, *server, free_port(), "stream = \"1s\"");
    stream_until(node, [&](const StreamEvent& event) {
        if (event.kind == StreamEvent::Kind::Streaming) {  // The snapshot has none of these.
            CHECK(server->sql(
                "INSERT INTO allergies SELECT g, 'nuts' FROM generate_series(1, 1000) g", "epr"));
        }
        return event.kind == StreamEvent::Kind::Tail &&
               event.snapshot == open_node(node.home())->vault->reader().latest("epr")->id &&
               event.bytes > 10'000;
    });
    REQUIRE(server->stop());
    REQUIRE(open_node(node.home())->vault->reader().latest("epr")->tail_of);

    const auto engine = node.engine();
    RunOrder order;
    order.system = "epr";
    check_drill(*engine, order);  // Its check asks for the thousand.
    CHECK(node.remains() == "");
}

namespace {

/// The system's clock, some time later.
class LaterClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return system_clock().wall_ms() + later_ms; }
    std::int64_t steady_ns() const override { return system_clock().steady_ns(); }
    std::int64_t later_ms = 0;
};

}  // namespace

TEST_CASE("tails that a newer one makes needless are forgotten after an hour", "[failover]") {
    PostgresOptions options;
    options.access_rules = {"local replication all trust"};
    options.settings = {"max_slot_wal_keep_size = 1GB"};
    auto server = PostgresServer::create(options);
    REQUIRE(server);
    REQUIRE(server->sql("CREATE TABLE allergies (id int, what text)"));
    FailoverHome node;
    add_database(node, *server, free_port(), "stream = \"1s\"");
    const auto tails = [&] {
        const auto opened = open_node(node.home());
        std::size_t count = 0;
        for (const auto& one : opened->vault->reader().snapshots()) count += one.tail_of ? 1 : 0;
        return count;
    };
    LaterClock clock;
    std::size_t told = 0;
    std::size_t before = 0;
    stream_until(
        node,
        [&](const StreamEvent& event) {
            CHECK(server->sql("INSERT INTO allergies VALUES (1, 'nuts')"));
            if (event.kind != StreamEvent::Kind::Tail) return false;
            if (++told == 20) {
                before = tails();
                clock.later_ms = 2 * hour_ms;
            }
            return told == 21;
        },
        clock, 20);
    CHECK(before == 20);
    CHECK(tails() <= 2);  // The newest, and perhaps one for what came while it was told to stop.
    CHECK(open_node(node.home())->vault->reader().latest("epr")->tail_of);
}
