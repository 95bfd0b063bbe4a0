#include "agent/source/postgres/connection.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace holdfast::agent::postgres {

namespace {

constexpr int looks_before_wait = 4;

std::int64_t deadline_in(int timeout_ms) {
    return system_clock().steady_ns() + std::int64_t{timeout_ms} * 1'000'000;
}

/// libpq's text in one line, without the "LOCATION:" line of verbose messages.
std::string one_line(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with("LOCATION:")) continue;
        if (!out.empty()) out += "; ";
        out += line;
    }
    return out;
}

/// The SQLSTATE in a verbose message, "FATAL:  28P01: password ...", wherever its words are.
std::string state_in(std::string_view message) {
    const auto code_char = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    for (std::size_t at = message.find(":  "); at != std::string_view::npos;
         at = message.find(":  ", at + 1)) {
        const std::string_view code = message.substr(at + 3, 6);
        if (code.size() == 6 && code[5] == ':' &&
            std::all_of(code.begin(), code.end() - 1, code_char))
            return std::string(code.substr(0, 5));
    }
    return {};
}

/// What the caller can do about a failure with this SQLSTATE.
Errc code_of(std::string_view state) {
    if (state.starts_with("28") || state == "42501") return Errc::Denied;
    if (state == "3D000" || state == "55000" || state == "42601") return Errc::Invalid;
    if (state.starts_with("08") || state.starts_with("53") || state.starts_with("57")) {
        return Errc::Unreachable;
    }
    return state.empty() ? Errc::Unreachable : Errc::Io;
}

/// What helps, in words, where the server's own text does not say it.
std::string advice_for(std::string_view state, const PostgresSettings& settings) {
    if (state == "28P01") return "check the password in the passfile";
    if (state == "28000") {
        return "allow \"" + settings.user +
               "\" in the server's pg_hba.conf, with the database "
               "\"replication\", and give it LOGIN and REPLICATION";
    }
    if (state == "42501") {
        return "give the role the right: ALTER ROLE \"" + settings.user + "\" REPLICATION";
    }
    if (state == "53300") return "raise max_wal_senders, or end other copies";
    return {};
}

void keep_notice(void* list, const PGresult* result) {
    auto& notices = *static_cast<std::vector<std::string>*>(list);
    const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const bool warns = severity != nullptr && std::string_view(severity) == "WARNING";
    if (!warns || notices.size() >= notices_max) return;
    const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (text != nullptr) notices.emplace_back(text);
}

Result<void> check_passfile(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) return io_error(errno, "read the passfile " + path);
    if (!S_ISREG(about.st_mode)) return Error{Errc::Invalid, path + " is not a file"};
    if ((about.st_mode & 077) != 0) {
        return Error{Errc::Invalid, "others may read the passfile " + path + ": chmod 0600 it"};
    }
    return {};
}

}  // namespace

Result<void> check_settings(const PostgresSettings& settings) {
    const auto wrong = [](const std::string& what) { return Error{Errc::Invalid, what}; };
    constexpr std::array sslmodes{"disable", "allow",     "prefer",
                                  "require", "verify-ca", "verify-full"};
    if (settings.host.empty()) return wrong("host: expected a name, an address or a socket folder");
    if (settings.host.find(',') != std::string::npos) return wrong("host: expected one host only");
    if (settings.port == 0) return wrong("port: expected 1 to 65535");
    if (settings.user.empty()) return wrong("user: expected the name of a role with REPLICATION");
    if (std::find(sslmodes.begin(), sslmodes.end(), settings.sslmode) == sslmodes.end()) {
        return wrong("sslmode: expected disable, allow, prefer, require, verify-ca or verify-full");
    }
    if (settings.rate_kib_max != 0 &&
        (settings.rate_kib_max < 32 || settings.rate_kib_max > 1 << 20)) {
        return wrong("rate_kib_max: expected 0 (no limit) or 32 to 1048576");
    }
    if (settings.connect_timeout_ms <= 0 || settings.start_timeout_ms <= 0 ||
        settings.idle_timeout_ms <= 0) {
        return wrong("timeouts: expected more than 0 ms");
    }
    if (!settings.passfile.empty()) return check_passfile(settings.passfile);
    return {};
}

Connection::Connection(PgConn conn, std::string server, Stopped stopped)
    : conn_(std::move(conn)),
      server_(std::move(server)),
      stopped_(std::move(stopped)),
      notices_(std::make_unique<std::vector<std::string>>()) {}

Result<Connection> Connection::open(const PostgresSettings& settings, Mode mode, Stopped stopped) {
    HF_TRY(check_settings(settings));
    const std::string port = std::to_string(settings.port);
    const bool copies = mode == Mode::Replication;
    // Keepalives on both ends: if this machine dies, the server finds out and drops the slot.
    // No tcp_user_timeout: it would also end a session whose sink is slow.
    constexpr const char* server_keepalives =
        "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=15 -c tcp_keepalives_count=4";
    // An empty passfile would mean ~/.pgpass; below /dev/null there can be no file.
    const std::string passfile = settings.passfile.empty() ? "/dev/null/none" : settings.passfile;
    const std::vector<std::pair<const char*, const char*>> words{
        {"host", settings.host.c_str()},
        {"port", port.c_str()},
        {"user", settings.user.c_str()},
        {"dbname", copies ? "replication" : settings.describe_database.c_str()},
        {copies ? "replication" : "fallback_application_name", copies ? "true" : "holdfast"},
        {"passfile", passfile.c_str()},
        {"sslmode", settings.sslmode.c_str()},
        {"sslrootcert", settings.sslrootcert.c_str()},
        {"application_name", "holdfast"},
        {"options", server_keepalives},
        {"keepalives_idle", "60"},
        {"keepalives_interval", "15"},
        {"keepalives_count", "4"}};
    std::vector<const char*> keys, values;
    for (const auto& [key, value] : words) {
        keys.push_back(key);
        values.push_back(value);
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    PgConn conn(PQconnectStartParams(keys.data(), values.data(), 0));
    HF_ASSERT(conn != nullptr);
    Connection opened(std::move(conn), settings.host + ":" + port, std::move(stopped));
    HF_TRY(opened.log_in(settings));
    return opened;
}

Result<void> Connection::log_in(const PostgresSettings& settings) {
    PQsetNoticeReceiver(conn_.get(), keep_notice, notices_.get());
    PQsetErrorVerbosity(conn_.get(), PQERRORS_VERBOSE);  // So that the SQLSTATE can be told.
    const std::int64_t deadline = deadline_in(settings.connect_timeout_ms);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    if (PQstatus(conn_.get()) == CONNECTION_BAD) state = PGRES_POLLING_FAILED;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) return login_error(settings);
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        HF_TRY(wait(events, deadline, "the login"));
        state = PQconnectPoll(conn_.get());
    }
    PQsetErrorVerbosity(conn_.get(), PQERRORS_DEFAULT);
    return {};
}

Error Connection::login_error(const PostgresSettings& settings) const {
    const std::string_view raw = PQerrorMessage(conn_.get());
    const std::string state = state_in(raw);
    std::string message = "cannot log in to PostgreSQL at " + server_ + ": " + one_line(raw);
    Errc code = code_of(state);
    std::string advice = advice_for(state, settings);
    if (PQconnectionNeedsPassword(conn_.get())) {
        code = Errc::Denied;
        advice = settings.passfile.empty() ? "name a passfile in the settings"
                                           : "the passfile has no line that fits";
    }
    if (!advice.empty()) message += "; " + advice;
    return {code, std::move(message)};
}

Result<void> Connection::wait(short events, std::int64_t deadline_ns, const char* what) {
    for (;;) {
        if (stopped_ && stopped_()) return Error{Errc::Interrupted, "the copy was stopped"};
        const std::int64_t left_ms = (deadline_ns - system_clock().steady_ns()) / 1'000'000;
        if (left_ms <= 0) {
            last_state_.clear();
            return Error{Errc::Unreachable, "PostgreSQL at " + server_ +
                                                " is silent: no answer to " + what +
                                                " in time; run the snapshot again"};
        }
        pollfd watched{PQsocket(conn_.get()), events, 0};
        const int ready =
            ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left_ms, wait_slice_ms)));
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return io_error(errno, "wait for PostgreSQL");
    }
}

Result<void> Connection::wait_for_input(std::int64_t deadline_ns, const char* what) {
    // Under TLS the rest of a record may sit in the TLS library, where poll() cannot see it: libpq
    // reads 8 KiB at least, a record has 16 KiB at most.
    const bool look_first = PQsslInUse(conn_.get()) == 1 && ++looks_ < looks_before_wait;
    if (!look_first) {
        HF_TRY(wait(POLLIN, deadline_ns, what));
        looks_ = 0;
    }
    if (PQconsumeInput(conn_.get()) != 1) return ended(PQerrorMessage(conn_.get()));
    return {};
}

Error Connection::ended(const std::string& why) {
    last_state_.clear();
    return {Errc::Unreachable, "PostgreSQL at " + server_ + " ended the copy: " + one_line(why) +
                                   "; run the snapshot again"};
}

/// The Error for a failed result.
Error Connection::failure(const PGresult* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == nullptr) return ended(PQresultErrorMessage(result));
    const Errc code = code_of(state);
    if (code == Errc::Unreachable) {
        Error error = ended(PQresultErrorMessage(result));
        last_state_ = state;
        return error;
    }
    last_state_ = state;
    return {code, "PostgreSQL at " + server_ + ": " + one_line(PQresultErrorMessage(result))};
}

Result<void> Connection::send(const std::string& command) {
    // Commands are short and the session idle: they fit the socket's buffer.
    if (PQsendQuery(conn_.get(), command.c_str()) != 1) return ended(PQerrorMessage(conn_.get()));
    return {};
}

Result<PgResult> Connection::next_result(int timeout_ms) {
    const std::int64_t deadline = deadline_in(timeout_ms);
    while (PQisBusy(conn_.get())) HF_TRY(wait_for_input(deadline, "a command"));
    PgResult result(PQgetResult(conn_.get()));
    if (result == nullptr) return result;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_OUT &&
        status != PGRES_COPY_BOTH) {
        return failure(result.get());
    }
    return result;
}

void Connection::drain(int timeout_ms) {
    const std::string state = last_state_;
    while (PQstatus(conn_.get()) == CONNECTION_OK) {
        const auto rest = next_result(timeout_ms);
        if (!rest || *rest == nullptr) break;
    }
    last_state_ = state;
}

Result<PgResult> Connection::query(const std::string& command, int timeout_ms) {
    HF_TRY(send(command));
    auto first = next_result(timeout_ms);
    if (!first) drain(timeout_ms);
    PgResult rows = HF_TRY(std::move(first));
    if (rows == nullptr) return ended("no answer to a command");
    while (PgResult more = HF_TRY(next_result(timeout_ms))) {
        if (PQresultStatus(more.get()) == PGRES_COPY_OUT) return ended("a copy nobody asked for");
    }
    return rows;
}

Result<std::optional<CopyRow>> Connection::copy_row(int timeout_ms) {
    const std::int64_t deadline = deadline_in(timeout_ms);
    for (;;) {
        char* data = nullptr;
        const int size = PQgetCopyData(conn_.get(), &data, 1);
        if (size > 0) {
            return std::optional<CopyRow>(std::in_place, data, static_cast<std::size_t>(size));
        }
        if (size == -1) return std::optional<CopyRow>();
        if (size < 0) return ended(PQerrorMessage(conn_.get()));
        HF_TRY(wait_for_input(deadline, "the copy"));
    }
}

Result<std::optional<CopyRow>> Connection::copy_row_within(int wait_ms) {
    const std::int64_t deadline = deadline_in(wait_ms);
    for (bool last = false;;) {
        char* data = nullptr;
        const int size = PQgetCopyData(conn_.get(), &data, 1);
        if (size > 0) {
            return std::optional<CopyRow>(std::in_place, data, static_cast<std::size_t>(size));
        }
        if (size == -1) {
            copy_ended_ = true;
            return std::optional<CopyRow>();
        }
        if (size < 0) return ended(PQerrorMessage(conn_.get()));
        if (stopped_ && stopped_()) return Error{Errc::Interrupted, "the stream was stopped"};
        if (last) return std::optional<CopyRow>();
        const std::int64_t left_ms =
            std::max<std::int64_t>(0, (deadline - system_clock().steady_ns()) / 1'000'000);
        last = left_ms == 0;  // One more look at what the socket has.
        pollfd watched{PQsocket(conn_.get()), POLLIN, 0};
        const int ready =
            ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left_ms, wait_slice_ms)));
        if (ready < 0 && errno != EINTR) return io_error(errno, "wait for PostgreSQL");
        if (PQconsumeInput(conn_.get()) != 1) return ended(PQerrorMessage(conn_.get()));
    }
}

Result<void> Connection::send_row(View row, int timeout_ms) {
    const auto* data = reinterpret_cast<const char*>(row.data());
    if (PQputCopyData(conn_.get(), data, static_cast<int>(row.size())) != 1) {
        return ended(PQerrorMessage(conn_.get()));
    }
    const std::int64_t deadline = deadline_in(timeout_ms);
    for (;;) {
        const int left = PQflush(conn_.get());
        if (left == 0) return {};
        if (left < 0) return ended(PQerrorMessage(conn_.get()));
        HF_TRY(wait(POLLOUT, deadline, "a word about the log"));
    }
}

void Connection::abandon() {
    if (PQstatus(conn_.get()) != CONNECTION_OK) return;
    const std::unique_ptr<PGcancel, Closer<PQfreeCancel>> cancel(PQgetCancel(conn_.get()));
    std::array<char, 256> why{};
    if (cancel == nullptr || PQcancel(cancel.get(), why.data(), why.size()) != 1) return;
    stopped_ = nullptr;
    for (const std::int64_t deadline = deadline_in(abandon_timeout_ms);;) {
        const std::int64_t left_ms = (deadline - system_clock().steady_ns()) / 1'000'000;
        if (left_ms <= 0) return;
        const auto result = next_result(static_cast<int>(left_ms));
        if (!result || *result == nullptr) return;
        if (PQresultStatus(result->get()) != PGRES_COPY_OUT) continue;
        for (;;) {
            if (deadline < system_clock().steady_ns()) return;
            const auto row = copy_row(static_cast<int>(left_ms));
            if (!row || !*row) break;
        }
    }
}

}  // namespace holdfast::agent::postgres
