#include "agent/source/postgres/log_stream.h"

#include "agent/source/postgres/facts.h"
#include "agent/source/postgres/layout.h"
#include "agent/source/postgres/log_row.h"
#include "vault/base/clock.h"

#include <algorithm>
#include <charconv>

namespace holdfast::agent::postgres {
namespace {

constexpr int answer_timeout_ms = 30'000;
constexpr std::int64_t tell_each_ns = 1'000'000'000;
constexpr std::size_t slot_bytes_max = 63;
constexpr const char* undefined_file = "58P01";
constexpr const char* object_missing = "42704";
constexpr const char* object_in_use = "55006";
constexpr const char* not_as_needed = "55000";

/// Told apart by their SQLSTATE, what the caller can do about the end of a stream.
Error sorted(Error error, const std::string& state, const std::string& slot) {
    if (state == undefined_file || state == object_missing || state == not_as_needed) {
        error.code = Errc::NotFound;
    }
    if (state == object_in_use) {
        return {Errc::Conflict, "slot " + slot +
                                    " is in use: another holdfast stream is at work (" +
                                    error.message + ")"};
    }
    return error;
}

}  // namespace

std::string slot_name(const std::string& system, const std::string& source) {
    std::string name = "holdfast_" + system + "_" + source;
    for (char& c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain) c = '_';
    }
    return name.substr(0, slot_bytes_max);
}

Result<LogStream> LogStream::open(const PostgresSettings& settings, std::string slot,
                                  std::uint64_t log_bytes_max, Stopped stopped) {
    LogStream stream(
        HF_TRY(Connection::open(settings, Connection::Mode::Replication, std::move(stopped))),
        std::move(slot));
    Connection& session = stream.session_;
    if (session.server_version() < server_version_min) {
        return Error{Errc::Invalid, "PostgreSQL before 13 is not streamed"};
    }
    const PgResult system = HF_TRY(session.query("IDENTIFY_SYSTEM", answer_timeout_ms));
    stream.source_.system_id = cell(system.get(), 0, 0);
    const std::string timeline = cell(system.get(), 0, 1);
    const auto parsed = std::from_chars(timeline.data(), timeline.data() + timeline.size(),
                                        stream.source_.timeline);
    const auto segment = parse_size(HF_TRY(show(session, "wal_segment_size")));
    if (stream.source_.system_id.empty() || parsed.ec != std::errc() || !segment || *segment == 0) {
        return Error{Errc::Invalid, "the server does not say which system it is"};
    }
    stream.source_.segment_bytes = *segment;
    HF_TRY(stream.check_limit(log_bytes_max));
    return stream;
}

Result<void> LogStream::check_limit(std::uint64_t log_bytes_max) {
    const std::string told = HF_TRY(show(session_, "max_slot_wal_keep_size"));
    const auto limit = parse_size(told);
    if (limit && *limit <= log_bytes_max) return {};
    const std::string gibibytes = std::to_string(log_bytes_max >> 30) + "GB";
    return Error{Errc::Invalid,
                 "the server lets a slot hold " + (limit ? told : std::string("any amount")) +
                     " of its log, which would fill its disk if this node stayed away; as its "
                     "superuser: ALTER SYSTEM SET max_slot_wal_keep_size = '" +
                     gibibytes + "'; SELECT pg_reload_conf(); (or set stream_log_max)"};
}

Result<void> LogStream::make_slot() {
    auto dropped = session_.query("DROP_REPLICATION_SLOT " + slot_, answer_timeout_ms);
    if (!dropped && session_.last_state() != object_missing) {
        return sorted(std::move(dropped).error(), session_.last_state(), slot_);
    }
    const bool brackets = session_.server_version() >= new_syntax_version;
    HF_TRY(session_.query("CREATE_REPLICATION_SLOT " + slot_ + " PHYSICAL " +
                              (brackets ? "(RESERVE_WAL)" : "RESERVE_WAL"),
                          answer_timeout_ms));
    return {};
}

Result<void> LogStream::start(std::uint64_t lsn) {
    HF_TRY(session_.send("START_REPLICATION SLOT " + slot_ + " PHYSICAL " + lsn_text(lsn) +
                         " TIMELINE " + std::to_string(source_.timeline)));
    auto begun = session_.next_result(answer_timeout_ms);
    if (!begun) {
        session_.drain(answer_timeout_ms);
        return sorted(std::move(begun).error(), session_.last_state(), slot_);
    }
    if (*begun == nullptr || PQresultStatus(begun->get()) != PGRES_COPY_BOTH) {
        return Error{Errc::Invalid, "the source does not stream its log on timeline " +
                                        std::to_string(source_.timeline) + " any more"};
    }
    next_lsn_ = lsn;
    confirmed_ = 0;  // Says nothing: the slot stays where it is.
    return tell();
}

Result<LogBytes> LogStream::next(std::size_t bytes_max, int wait_ms) {
    LogBytes came{next_lsn_, {}};
    const std::int64_t end_ns = system_clock().steady_ns() + std::int64_t{wait_ms} * 1'000'000;
    while (came.bytes.size() < bytes_max) {
        const std::int64_t now_ns = system_clock().steady_ns();
        if (now_ns - told_ns_ > tell_each_ns) HF_TRY(tell());
        const std::int64_t left_ms =
            std::clamp<std::int64_t>((end_ns - now_ns) / 1'000'000, 0, wait_slice_ms);
        auto row = session_.copy_row_within(static_cast<int>(left_ms));
        if (!row) {
            if (!came.bytes.empty()) break;  // What came before is good; the next call tells.
            return std::move(row).error();
        }
        if (*row) HF_TRY(take_row((*row)->view(), came));
        if (session_.copy_ended() && came.bytes.empty()) return ended();
        if (session_.copy_ended() || (!*row && left_ms == 0)) break;
    }
    next_lsn_ = came.end();
    return came;
}

Result<void> LogStream::take_row(View bytes, LogBytes& into) {
    const LogRow row = HF_TRY(parse_log_row(bytes));
    source_end_ = std::max(source_end_, row.written);
    if (row.answer) return tell();
    if (row.log.empty()) return {};
    if (row.start != into.end()) {
        return Error{Errc::Corrupt, "the source sent log from " + lsn_text(row.start) + " where " +
                                        lsn_text(into.end()) + " was next"};
    }
    into.bytes.insert(into.bytes.end(), row.log.begin(), row.log.end());
    source_end_ = std::max(source_end_, into.end());
    return {};
}

Result<void> LogStream::confirm(std::uint64_t lsn) {
    confirmed_ = std::max(confirmed_, lsn);
    return tell();
}

Result<void> LogStream::tell() {
    told_ns_ = system_clock().steady_ns();
    return session_.send_row(log_answer(confirmed_, system_clock().wall_ms()), answer_timeout_ms);
}

/// The copy is over: with an error, or since the source follows another timeline.
Error LogStream::ended() {
    for (;;) {
        auto result = session_.next_result(answer_timeout_ms);
        if (!result) return sorted(std::move(result).error(), session_.last_state(), slot_);
        if (*result == nullptr) break;
        if (PQresultStatus(result->get()) == PGRES_TUPLES_OK) {
            return {Errc::Invalid,
                    "the source follows another timeline now (" + cell(result->get(), 0, 0) + ")"};
        }
    }
    return {Errc::Unreachable, "the source ended the stream of its log"};
}

}  // namespace holdfast::agent::postgres
