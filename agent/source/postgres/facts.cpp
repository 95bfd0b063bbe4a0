#include "agent/source/postgres/facts.h"

#include "agent/source/postgres/layout.h"

#include <charconv>

namespace holdfast::agent::postgres {

namespace {

constexpr int show_timeout_ms = 30'000;
constexpr std::uint64_t wal_segment_bytes_min = 1 << 20;
constexpr std::uint64_t wal_segment_bytes_max = 1 << 30;

// A standby, and recovery of prepared transactions, need at least the values of the source.
constexpr const char* kept_settings[] = {"max_connections", "max_worker_processes",
                                         "max_wal_senders", "max_prepared_transactions",
                                         "max_locks_per_transaction"};

const char* locale_query(int server_version) {
    if (server_version >= 150000) {
        return "SELECT datname, pg_encoding_to_char(encoding), datcollate, datctype, "
               "datlocprovider, coalesce(datcollversion, '') FROM pg_database ORDER BY oid";
    }
    return "SELECT datname, pg_encoding_to_char(encoding), datcollate, datctype, '', '' "
           "FROM pg_database ORDER BY oid";
}

Result<std::uint64_t> show_size(Connection& session, const std::string& name) {
    const std::string text = HF_TRY(show(session, name));
    const auto size = parse_size(text);
    if (!size || *size == 0) {
        return Error{Errc::Invalid, "the server says " + name + " is \"" + text + "\""};
    }
    return *size;
}

}  // namespace

std::string cell(const PGresult* rows, int row, int column) {
    if (row >= PQntuples(rows) || column >= PQnfields(rows)) return {};
    return {PQgetvalue(rows, row, column),
            static_cast<std::size_t>(PQgetlength(rows, row, column))};
}

Result<std::string> show(Connection& session, const std::string& name) {
    const PgResult rows = HF_TRY(session.query("SHOW " + name, show_timeout_ms));
    return cell(rows.get(), 0, 0);
}

Result<void> read_server_facts(Connection& session, PostgresFacts& facts) {
    facts.version_number = session.server_version();
    if (facts.version_number < server_version_min) {
        return Error{Errc::Invalid,
                     "PostgreSQL before 13 is not taken by this source; the server "
                     "is " +
                         std::to_string(facts.version_number / 10000)};
    }
    const PgResult system = HF_TRY(session.query("IDENTIFY_SYSTEM", show_timeout_ms));
    facts.system_id = cell(system.get(), 0, 0);
    const std::string timeline = cell(system.get(), 0, 1);
    const auto parsed =
        std::from_chars(timeline.data(), timeline.data() + timeline.size(), facts.timeline);
    if (facts.system_id.empty() || parsed.ec != std::errc()) {
        return Error{Errc::Invalid, "the server does not say which system it is"};
    }
    facts.version = HF_TRY(show(session, "server_version"));
    const std::string checksums = HF_TRY(show(session, "data_checksums"));
    facts.data_checksums = checksums == "on";
    facts.wal_segment_bytes = HF_TRY(show_size(session, "wal_segment_size"));
    if (facts.wal_segment_bytes < wal_segment_bytes_min ||
        facts.wal_segment_bytes > wal_segment_bytes_max) {
        return Error{Errc::Invalid, "the server says its log files are not of 1 MiB to 1 GiB"};
    }
    facts.block_bytes = HF_TRY(show_size(session, "block_size"));
    for (const char* name : kept_settings) {
        std::string value = HF_TRY(show(session, name));
        facts.settings.emplace_back(name, std::move(value));
    }
    return {};
}

void read_database_facts(const PostgresSettings& settings, PostgresFacts& facts,
                         const Stopped& stopped) {
    if (settings.describe_database.empty()) {
        facts.databases_missing = "not asked for";
        return;
    }
    auto session = Connection::open(settings, Connection::Mode::Database, stopped);
    if (!session) {
        facts.databases_missing = session.error().message;
        return;
    }
    const auto rows = session->query(locale_query(facts.version_number), show_timeout_ms);
    if (!rows) {
        facts.databases_missing = rows.error().message;
        return;
    }
    const auto count =
        std::min<std::size_t>(static_cast<std::size_t>(PQntuples(rows->get())), databases_max);
    for (int row = 0; row < static_cast<int>(count); ++row) {
        const auto text = [&](int column) { return cell(rows->get(), row, column); };
        facts.databases.push_back({text(0), text(1), text(2), text(3), text(4), text(5)});
    }
}

}  // namespace holdfast::agent::postgres
