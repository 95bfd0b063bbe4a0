#include "tests/agent/source/postgres/cluster.h"

#include <sys/stat.h>

#include <fstream>

namespace holdfast::test {

Result<PostgresServer> make_source(std::vector<std::string> settings,
                                   std::vector<std::string> access_rules) {
    PostgresOptions options;
    options.settings = {"max_wal_size = '48MB'", "min_wal_size = '32MB'", "wal_keep_size = 0",
                        "synchronous_commit = off", "shared_buffers = '32MB'"};
    options.settings.insert(options.settings.end(), settings.begin(), settings.end());
    options.access_rules = {"host replication copier,nobody 127.0.0.1/32 scram-sha-256"};
    options.access_rules.insert(options.access_rules.end(), access_rules.begin(),
                                access_rules.end());
    PostgresServer server = HF_TRY(PostgresServer::create(options));
    HF_TRY(server.sql(std::string("CREATE ROLE copier LOGIN REPLICATION PASSWORD '") +
                      copier_password + "'; CREATE ROLE nobody LOGIN PASSWORD '" + copier_password +
                      "'"));
    return server;
}

agent::postgres::PostgresSettings copier_of(const PostgresServer& server,
                                            const ServerFolder& folder) {
    agent::postgres::PostgresSettings settings;
    settings.host = "127.0.0.1";
    settings.port = server.port();
    settings.user = "copier";
    settings.sslmode = "disable";
    settings.passfile = folder.path() + "/pass";
    std::ofstream(settings.passfile) << "*:*:*:*:" << copier_password << "\n";
    HF_ASSERT(::chmod(settings.passfile.c_str(), 0600) == 0);
    return settings;
}

Result<void> make_tables(const PostgresServer& server, int rows) {
    HF_TRY(
        server.sql("CREATE EXTENSION amcheck;"
                   "CREATE TABLE acks (id bigint PRIMARY KEY, filler text NOT NULL);"
                   "CREATE TABLE total (sum bigint NOT NULL); INSERT INTO total VALUES (0);"
                   "CREATE TABLE ballast (id bigint PRIMARY KEY, touched int NOT NULL, filler text "
                   "NOT NULL)"));
    HF_TRY(
        server.sql("INSERT INTO ballast SELECT n, 0, (SELECT string_agg(md5((n * 100 + "
                   "k)::text), '') FROM generate_series(1, 30) k) FROM generate_series(1, " +
                   std::to_string(rows) + ") n"));
    return {};
}

Writer::Writer(const PostgresServer& server)
    : thread_([this, conninfo = server.conninfo()] {
          auto session = PostgresClient::open(conninfo);
          if (!session) return;
          for (std::int64_t id = 1; !stop_; ++id) {
              const std::string n = std::to_string(id);
              const std::string from = std::to_string(id * 50 % 30'000);
              const auto done =
                  session->sql("BEGIN; INSERT INTO acks VALUES (" + n + ", repeat(md5('" + n +
                               "'), 100)); UPDATE total SET sum = sum + " + n +
                               "; UPDATE ballast SET touched = touched + 1 WHERE id BETWEEN " +
                               from + " AND " + from + " + 50; COMMIT");
              if (!done) return;  // The server went away, as some tests want.
              acknowledged_ = id;
          }
      }) {}

Writer::~Writer() {
    stop_ = true;
    thread_.join();
}

Result<PostgresServer> start_copy(const std::string& data_dir,
                                  agent::postgres::StartSettings settings) {
    give_to_server_user(data_dir);
    settings.port = free_port();
    const std::vector<std::string> arguments =
        HF_TRY(agent::postgres::prepare_restored_cluster(data_dir, settings));
    return PostgresServer::adopt(data_dir, settings.port, data_dir + "/run", arguments);
}

std::string slots_of(const PostgresServer& server) {
    const auto rows = server.sql("SELECT slot_name FROM pg_replication_slots");
    if (!rows) return "! " + rows.error().message;
    std::string names;
    for (const auto& row : *rows) names += row[0] + " ";
    return names;
}

}  // namespace holdfast::test
