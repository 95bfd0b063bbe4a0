// PostgresServer: a real PostgreSQL for tests, in its own folder below /tmp, on a free loopback
// port, run by the user postgres when the test runs as root. It ends with the object.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;

namespace holdfast::test {

using Rows = std::vector<std::vector<std::string>>;

/// A folder of its own that the server's user may use; removed with the object.
class ServerFolder {
public:
    ServerFolder();
    ~ServerFolder();
    ServerFolder(ServerFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    ServerFolder& operator=(ServerFolder&&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// One SQL session; for use by one thread.
class PostgresClient {
public:
    static Result<PostgresClient> open(const std::string& conninfo);
    /// Runs `text`, which may hold several statements; answers the rows of the last.
    Result<Rows> sql(const std::string& text);

private:
    explicit PostgresClient(pg_conn* conn);
    std::unique_ptr<pg_conn, void (*)(pg_conn*)> conn_;
};

struct PostgresOptions {
    bool checksums = true;
    std::vector<std::string> settings;      // Lines of postgresql.conf.
    std::vector<std::string> access_rules;  // Lines of pg_hba.conf, ahead of the usual ones.
};

class PostgresServer {
public:
    /// initdb and start. The superuser is postgres, let in without a password.
    static Result<PostgresServer> create(const PostgresOptions& options);
    /// Starts the server on an existing folder, owned by the server's user after this.
    /// `arguments` are those of `postgres`, from "-D DIR" on.
    static Result<PostgresServer> adopt(const std::string& data_dir, std::uint16_t port,
                                        const std::string& socket_dir,
                                        const std::vector<std::string>& arguments);
    PostgresServer(PostgresServer&&) = default;
    ~PostgresServer();

    const std::string& data_dir() const { return data_dir_; }
    const std::string& socket_dir() const { return socket_dir_; }
    std::uint16_t port() const { return port_; }
    /// libpq words to log in as postgres over the socket.
    std::string conninfo(const std::string& database = "postgres") const;
    Result<PostgresClient> client(const std::string& database = "postgres") const;
    /// One statement in a session of its own.
    Result<Rows> sql(const std::string& text, const std::string& database = "postgres") const;

    /// Returns when the server lets clients in.
    Result<void> start();
    /// `mode`: smart, fast or immediate.
    Result<void> stop(const std::string& mode = "fast");
    std::string log() const;

private:
    PostgresServer() = default;
    bool is_running() const;
    ServerFolder folder_;
    std::string data_dir_, socket_dir_, start_options_;
    std::uint16_t port_ = 0;
    bool running_ = false;
};

/// The folder of PostgreSQL's programs; empty if it is not installed.
std::string postgres_bin_dir();

/// Runs a program as the server's user, to its end. Errors: Io with its output, if it fails.
Result<std::string> run_as_server_user(const std::vector<std::string>& arguments);

/// Gives `path` and all below it to the server's user.
void give_to_server_user(const std::string& path);

/// A TCP port on 127.0.0.1 that was free a moment ago.
std::uint16_t free_port();

/// Asks `condition` again until it holds or `timeout_ms` are over. Answers whether it held.
bool eventually(const std::function<bool()>& condition, int timeout_ms = 20'000);

}  // namespace holdfast::test
