#include "images/demo/epr/database.h"

#include <libpq-fe.h>

#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace holdfast::demo {
namespace {

constexpr int copy_failed = -2;  // PQgetCopyData's answers.
constexpr int copy_done = -1;

/// libpq's messages end with a line feed and may have several lines.
std::string one_line(const char* message) {
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (char& c : text) c = c == '\n' ? ' ' : c;
    return text;
}

Errc code_of(std::string_view sqlstate) {
    if (sqlstate.starts_with("23") || sqlstate == "42P07") return Errc::Conflict;
    if (sqlstate == "42P01" || sqlstate == "3D000") return Errc::NotFound;
    if (sqlstate.starts_with("28") || sqlstate == "25006" || sqlstate == "42501") {
        return Errc::Denied;
    }
    return Errc::Io;
}

/// Nothing from the server, or what it says as it ends a session: shutting down, crashed, starting.
bool is_farewell(std::string_view sqlstate) {
    return sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P");
}

std::unique_ptr<pg_result, Closer<clear_result>> owned(PGresult* result) {
    return std::unique_ptr<pg_result, Closer<clear_result>>(result);
}

}  // namespace

void close_connection(pg_conn* connection) {
    PQfinish(connection);
}
void clear_result(pg_result* result) {
    PQclear(result);
}
void Database::FreeLine::operator()(char* line) const noexcept {
    PQfreemem(line);
}

std::size_t Answer::rows() const {
    return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::string_view Answer::text(std::size_t row, int column) const {
    return PQgetvalue(result_.get(), static_cast<int>(row), column);
}

std::uint64_t Answer::number(std::size_t row, int column) const {
    const std::string_view digits = text(row, column);
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::uint64_t Answer::affected() const {
    const std::string_view digits = PQcmdTuples(result_.get());
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

Result<Database> Database::open(const std::string& conninfo) {
    // What stands before dbname is a default: the conninfo in it overrides.
    const std::array<const char*, 6> keys{"connect_timeout",           "tcp_user_timeout",
                                          "fallback_application_name", "dbname",
                                          "client_encoding",           nullptr};
    const std::array<const char*, 6> values{"5",    "10000", "holdfast-demo-epr", conninfo.c_str(),
                                            "UTF8", nullptr};
    Database database;
    database.connection_.reset(PQconnectdbParams(keys.data(), values.data(), 1));
    if (PQstatus(database.connection_.get()) != CONNECTION_OK) {
        return Error{Errc::Unreachable, "connect to the database: " +
                                            one_line(PQerrorMessage(database.connection_.get()))};
    }
    HF_TRY(
        database.run_all("SET timezone = 'UTC'; SET datestyle = 'ISO'; "
                         "SET client_min_messages = warning"));
    return database;
}

Error Database::failure(const pg_result* result, const std::string& what) const {
    const std::string said = result != nullptr ? one_line(PQresultErrorMessage(result))
                                               : one_line(PQerrorMessage(connection_.get()));
    const std::string message = what.substr(0, what.find_first_of("(\n")) + ": " + said;
    const char* state = result != nullptr ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const std::string_view sqlstate = state != nullptr ? state : "";
    // When sending fails, libpq may still call the connection good; but an error without a code
    // did not come from the server.
    if (PQstatus(connection_.get()) != CONNECTION_OK || is_farewell(sqlstate)) {
        return {Errc::Unreachable, "the connection is lost: " + message};
    }
    return {code_of(sqlstate), message};
}

Result<Answer> Database::run(const std::string& sql, const Row& parameters) {
    std::vector<const char*> values;
    for (std::size_t i = 0; i < parameters.size(); ++i) values.push_back(parameters.c_str(i));
    auto result =
        owned(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                           values.data(), nullptr, nullptr, 0));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failure(result.get(), sql);
    return Answer(std::move(result));
}

Result<void> Database::run_all(const std::string& sql) {
    const auto result = owned(PQexec(connection_.get(), sql.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failure(result.get(), sql);
    return {};
}

Result<void> Database::begin_copy_in(const std::string& sql) {
    const auto result = owned(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_IN) return failure(result.get(), sql);
    return {};
}

Result<void> Database::put(std::string_view lines) {
    if (PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size())) == 1) {
        return {};
    }
    return failure(nullptr, "COPY");
}

Result<void> Database::end_copy_in() {
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) return failure(nullptr, "COPY");
    return finish_copy("COPY");
}

Result<void> Database::begin_copy_out(const std::string& sql) {
    const auto result = owned(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) return failure(result.get(), sql);
    return {};
}

Result<std::optional<std::string_view>> Database::next_line() {
    char* line = nullptr;
    const int length = PQgetCopyData(connection_.get(), &line, 0);
    line_.reset(line);
    if (length == copy_failed) return failure(nullptr, "COPY");
    if (length == copy_done) {
        HF_TRY(finish_copy("COPY"));
        return std::optional<std::string_view>{};
    }
    return std::optional(std::string_view(line, static_cast<std::size_t>(length)));
}

Result<void> Database::finish_copy(const std::string& what) {
    Result<void> outcome;
    while (auto result = owned(PQgetResult(connection_.get()))) {
        if (PQresultStatus(result.get()) != PGRES_COMMAND_OK && outcome) {
            outcome = failure(result.get(), what);
        }
    }
    return outcome;
}

}  // namespace holdfast::demo
