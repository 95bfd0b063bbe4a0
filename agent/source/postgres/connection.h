// Connection: one libpq session that never waits without end.
//
// Every wait has a limit and looks every wait_slice_ms whether to stop. Messages name the server
// and never hold a password: libpq reads it from the passfile, and it is nowhere else.
//
// Thread rule: one thread. libpq's memory stays bounded because each row of a copy is taken before
// more is read from the socket.
#pragma once

#include "agent/source/postgres/copy.h"
#include "vault/base/closer.h"

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent::postgres {

using PgConn = std::unique_ptr<PGconn, Closer<PQfinish>>;
using PgResult = std::unique_ptr<PGresult, Closer<PQclear>>;

constexpr int server_version_min = 130000;
constexpr int new_syntax_version = 150000;  // Options in brackets, one copy for all archives.
constexpr int wait_slice_ms = 250;
constexpr int abandon_timeout_ms = 5'000;
constexpr std::size_t notices_max = 100;

/// True: stop. Asked while waiting.
using Stopped = std::function<bool()>;

/// A row of a copy; owned by libpq.
class CopyRow {
public:
    CopyRow(char* data, std::size_t size) : data_(data), size_(size) {}
    View view() const { return {reinterpret_cast<const std::uint8_t*>(data_.get()), size_}; }

private:
    std::unique_ptr<char, Closer<PQfreemem>> data_;
    std::size_t size_;
};

class Connection {
public:
    enum class Mode { Replication, Database };

    /// Logs in. Errors: Invalid (settings), Denied (login, rights), Unreachable, Interrupted.
    static Result<Connection> open(const PostgresSettings& settings, Mode mode, Stopped stopped);

    /// Sends `command` and answers its rows. Errors: as failure(), Unreachable after `timeout_ms`,
    /// Interrupted.
    Result<PgResult> query(const std::string& command, int timeout_ms);

    /// Sends `command`; its results come from next_result(). Errors: Unreachable.
    Result<void> send(const std::string& command);
    /// The next result: rows, the start of a copy, or null after the last. Errors: as query().
    Result<PgResult> next_result(int timeout_ms);
    /// Behind a failed result: makes the session free for the next command.
    void drain(int timeout_ms);
    /// The next row of the running copy; none at its end (then next_result() says why). Errors: as
    /// query().
    Result<std::optional<CopyRow>> copy_row(int timeout_ms);

    /// Sends a row of a copy that goes both ways. Errors: Unreachable after `timeout_ms`,
    /// Interrupted.
    Result<void> send_row(View row, int timeout_ms);
    /// As copy_row(), but waits `wait_ms` at most: none if nothing came.
    Result<std::optional<CopyRow>> copy_row_within(int wait_ms);

    /// Asks the server to end what it does and waits for that, abandon_timeout_ms at most. By then
    /// the server has dropped the session's slot.
    void abandon();

    /// True once the copy that went both ways has ended: next_result() says why.
    bool copy_ended() const { return copy_ended_; }

    int server_version() const { return PQserverVersion(conn_.get()); }
    int backend_pid() const { return PQbackendPID(conn_.get()); }
    /// The SQLSTATE of the last failed result; empty if the session itself broke.
    const std::string& last_state() const { return last_state_; }
    /// What the server warned of so far, notices_max at most.
    const std::vector<std::string>& notices() const { return *notices_; }

private:
    Connection(PgConn conn, std::string server, Stopped stopped);
    Result<void> wait(short events, std::int64_t deadline_ns, const char* what);
    Result<void> wait_for_input(std::int64_t deadline_ns, const char* what);
    Result<void> log_in(const PostgresSettings& settings);
    Error login_error(const PostgresSettings& settings) const;
    Error failure(const PGresult* result);
    Error ended(const std::string& why);

    PgConn conn_;
    std::string server_;  // "HOST:PORT", for messages.
    Stopped stopped_;
    std::string last_state_;
    bool copy_ended_ = false;
    int looks_ = 0;                                      // Reads since the last wait.
    std::unique_ptr<std::vector<std::string>> notices_;  // Its address is libpq's: stays put.
};

/// What is wrong with `settings`, if anything. Errors: Invalid.
Result<void> check_settings(const PostgresSettings& settings);

}  // namespace holdfast::agent::postgres
