// How a copy fails: with a clear error, no entry added, and no slot left on the source.
#include <catch2/catch.hpp>

#include "tests/agent/source/postgres/cluster.h"
#include "vault/base/file.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace holdfast;
using namespace holdfast::agent::postgres;
using namespace holdfast::test;

namespace {

PostgresServer must_start(Result<PostgresServer> server) {
    if (!server) FAIL(server.error().message);
    return *std::move(server);
}

/// Copies; answers the error, which must not tell the password, nor have left entries.
Error failure_of(const PostgresSettings& settings, FolderSink& sink,
                 const Progress& progress = {}) {
    const auto copied = copy_cluster(settings, sink, progress);
    REQUIRE_FALSE(copied);
    CHECK(sink.entries.empty());
    CHECK(copied.error().message.find(copier_password) == std::string::npos);
    return copied.error();
}

bool says(const Error& error, const std::string& words) {
    INFO(error.message);
    const bool found = error.message.find(words) != std::string::npos;
    CHECK(found);
    return found;
}

}  // namespace

TEST_CASE("logins that cannot work say why", "[postgres][cluster]") {
    const ServerFolder folder;
    const PostgresServer source = must_start(make_source());
    FolderSink sink(folder.path() + "/copy");
    PostgresSettings settings = copier_of(source, folder);
    SECTION("a wrong password") {
        must_start(make_source());  // Another cluster must not matter.
        REQUIRE(source.sql("ALTER ROLE copier PASSWORD 'another'"));
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Denied);
        CHECK(says(error, "127.0.0.1:" + std::to_string(settings.port)));
        CHECK(says(error, "check the password in the passfile"));
    }
    SECTION("no password at all") {
        settings.passfile.clear();
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Denied);
        CHECK(says(error, "name a passfile"));
    }
    SECTION("a role without REPLICATION") {
        settings.user = "nobody";
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Denied);
        CHECK(says(error, "ALTER ROLE \"nobody\" REPLICATION"));
    }
    SECTION("a role that pg_hba.conf does not name") {
        settings.user = "stranger";
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Denied);
        CHECK(says(error, "pg_hba.conf"));
    }
    SECTION("a port where nothing listens") {
        settings.port = free_port();
        CHECK(failure_of(settings, sink).code == Errc::Unreachable);
    }
    SECTION("a host that has no address") {
        settings.host = "host.invalid";
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Unreachable);
        CHECK(says(error, "host.invalid"));
    }
    SECTION("a passfile that others may read") {
        REQUIRE(::chmod(settings.passfile.c_str(), 0644) == 0);
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Invalid);
        CHECK(says(error, "chmod 0600"));
    }
    SECTION("settings out of range") {
        settings.sslmode = "perhaps";
        CHECK(says(failure_of(settings, sink), "sslmode: expected"));
        settings = copier_of(source, folder);
        settings.rate_kib_max = 1;
        CHECK(says(failure_of(settings, sink), "rate_kib_max: expected"));
    }
}

TEST_CASE("a server set up without room for copies is told apart", "[postgres][cluster]") {
    const ServerFolder folder;
    FolderSink sink(folder.path() + "/copy");
    SECTION("no free slot") {
        const PostgresServer source = must_start(make_source({"max_replication_slots = 1"}));
        REQUIRE(source.sql("SELECT pg_create_physical_replication_slot('other')"));
        CHECK(says(failure_of(copier_of(source, folder), sink), "reserve the log"));
    }
    SECTION("a log too thin to copy from") {
        const PostgresServer source =
            must_start(make_source({"wal_level = minimal", "max_wal_senders = 0"}));
        const Error error = failure_of(copier_of(source, folder), sink);
        CHECK(error.code != Errc::Denied);
    }
}

TEST_CASE("a server that is restarted ends the copy and keeps no slot", "[postgres][cluster]") {
    const ServerFolder folder;
    PostgresServer source = must_start(make_source());
    REQUIRE(make_tables(source, 60'000));
    FolderSink sink(folder.path() + "/copy");
    PostgresSettings settings = copier_of(source, folder);
    settings.rate_kib_max = 32 << 10;
    bool restarted = false;
    std::string slots_during;
    const Error error = failure_of(settings, sink, [&](std::uint64_t done, std::uint64_t) {
        if (restarted || done < 16 << 20) return true;
        restarted = true;
        slots_during = slots_of(source);
        REQUIRE(source.stop());
        REQUIRE(source.start());
        return true;
    });
    REQUIRE(restarted);
    CHECK(slots_during.starts_with("holdfast_"));
    CHECK(error.code == Errc::Unreachable);
    CHECK(says(error,
               "PostgreSQL at 127.0.0.1:" + std::to_string(settings.port) + " ended the copy"));
    CHECK(says(error, "run the snapshot again"));
    CHECK(sink.drops == 1);
    CHECK(slots_of(source) == "");
}

TEST_CASE("a copy that is stopped or whose sink is full leaves no slot", "[postgres][cluster]") {
    const ServerFolder folder;
    const PostgresServer source = must_start(make_source());
    REQUIRE(make_tables(source, 30'000));
    FolderSink sink(folder.path() + "/copy");
    SECTION("stopped") {
        const Error error =
            failure_of(copier_of(source, folder), sink,
                       [&](std::uint64_t done, std::uint64_t) { return done < 10 << 20; });
        CHECK(error.code == Errc::Interrupted);
    }
    SECTION("full") {
        sink.full_after = 10 << 20;
        CHECK(failure_of(copier_of(source, folder), sink).code == Errc::Full);
    }
    CHECK(sink.drops == 1);
    CHECK(slots_of(source) == "");
}

TEST_CASE("a server that falls silent is given up", "[postgres][cluster]") {
    const ServerFolder folder;
    FolderSink sink(folder.path() + "/copy");
    SECTION("before the login") {
        const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listener.get(), plain, length) == 0);
        REQUIRE(::listen(listener.get(), 1) == 0);
        REQUIRE(::getsockname(listener.get(), plain, &length) == 0);
        PostgresSettings settings;
        settings.host = "127.0.0.1";
        settings.port = ntohs(address.sin_port);
        settings.connect_timeout_ms = 300;
        const Error error = failure_of(settings, sink);
        CHECK(error.code == Errc::Unreachable);
        CHECK(says(error, "is silent"));
    }
    SECTION("in the middle") {
        const PostgresServer source = must_start(make_source());
        REQUIRE(make_tables(source, 30'000));
        PostgresSettings settings = copier_of(source, folder);
        settings.idle_timeout_ms = 500;
        pid_t sender = 0;
        const Error error = failure_of(settings, sink, [&](std::uint64_t done, std::uint64_t) {
            if (sender != 0 || done < 8 << 20) return true;
            const auto rows = source.sql("SELECT active_pid FROM pg_replication_slots");
            REQUIRE(rows);
            sender = std::stoi(rows->at(0).at(0));
            ::kill(sender, SIGSTOP);
            return true;
        });
        REQUIRE(sender != 0);
        CHECK(error.code == Errc::Unreachable);
        CHECK(says(error, "is silent"));
        CHECK(sink.drops == 1);
        ::kill(sender, SIGCONT);
        CHECK(eventually([&] { return slots_of(source).empty(); }));
    }
}
