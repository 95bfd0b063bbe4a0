// What the tests of the postgres source share: a source under load, its copier, a restored copy.
#pragma once

#include "agent/source/postgres/copy.h"
#include "agent/source/postgres/prepare.h"
#include "tests/agent/source/postgres/folder_sink.h"
#include "tests/harness/postgres_server.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace holdfast::test {

constexpr const char* copier_password = "Sesame-4711";

/// A cluster whose log wraps quickly, with the role "copier" (LOGIN, REPLICATION, a password),
/// which pg_hba.conf lets replicate over TCP and nothing else. Each server has the role "nobody"
/// too, which may log in and not replicate.
Result<PostgresServer> make_source(std::vector<std::string> settings = {},
                                   std::vector<std::string> access_rules = {});

/// Settings to copy `server` as "copier"; writes the passfile into `folder`.
agent::postgres::PostgresSettings copier_of(const PostgresServer& server,
                                            const ServerFolder& folder);

/// Makes the tables that Writer writes to, and `rows` rows of ballast of about 1 KB.
Result<void> make_tables(const PostgresServer& server, int rows);

/// Writes to the source as fast as it can until it is gone: rows 1, 2, 3 ... of `acks`, each in a
/// transaction with an update of `total` and of some ballast.
class Writer {
public:
    explicit Writer(const PostgresServer& server);
    ~Writer();
    /// The highest id whose commit the server has acknowledged.
    std::int64_t acknowledged() const { return acknowledged_; }

private:
    std::atomic<bool> stop_ = false;
    std::atomic<std::int64_t> acknowledged_ = 0;
    std::thread thread_;
};

/// Prepares the restored folder and starts it.
Result<PostgresServer> start_copy(const std::string& data_dir,
                                  agent::postgres::StartSettings settings = {});

/// Replication slots on `server`, as text.
std::string slots_of(const PostgresServer& server);

}  // namespace holdfast::test
