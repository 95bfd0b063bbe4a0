// Log stream: a cluster's write-ahead log as it is written, over the replication protocol.
//
// A permanent physical slot holds the log at the source until confirm() says that it is safe here;
// so a node that was away goes on where it was. What the slot may hold is limited by the server's
// own max_slot_wal_keep_size, which must be set: else a node that stays away would fill the
// source's disk. Nothing is written to disk here.
//
// Thread rule: one thread. Received bytes lie in memory until the caller takes them.
#pragma once

#include "agent/source/postgres/connection.h"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::agent::postgres {

/// A piece of the log.
struct LogBytes {
    std::uint64_t lsn = 0;  // Of the first byte.
    Buffer bytes;

    std::uint64_t end() const { return lsn + bytes.size(); }
};

struct LogSource {
    std::string system_id;
    std::uint32_t timeline = 0;
    std::uint64_t segment_bytes = 0;
};

class LogStream {
public:
    /// Logs in, and asks who is there. Errors: Invalid (settings, a server before 13, one whose
    /// slots may hold more than `log_bytes_max`), Denied, Unreachable, Interrupted.
    static Result<LogStream> open(const PostgresSettings& settings, std::string slot,
                                  std::uint64_t log_bytes_max, Stopped stopped);

    const LogSource& source() const { return source_; }

    /// Makes the slot, which holds the log from now on; one of that name goes first.
    /// Errors: Conflict (somebody streams from it), as Connection::query().
    Result<void> make_slot();
    /// Begins to stream from `lsn` on. Errors: as next().
    Result<void> start(std::uint64_t lsn);
    /// What came, up to about `bytes_max`, once something did and `wait_ms` are over; perhaps
    /// nothing. Errors: NotFound (the source has this log no more, or the slot is gone:
    /// make_slot(), and a copy of the cluster), Conflict (somebody else streams from the slot),
    /// Unreachable, Interrupted; Invalid (the source follows another timeline now).
    Result<LogBytes> next(std::size_t bytes_max, int wait_ms);
    /// The source may drop what is before `lsn`.
    Result<void> confirm(std::uint64_t lsn);
    /// As far as the source said that it has written.
    std::uint64_t source_end() const { return source_end_; }

private:
    LogStream(Connection session, std::string slot)
        : session_(std::move(session)), slot_(std::move(slot)) {}
    Result<void> check_limit(std::uint64_t log_bytes_max);
    Result<void> take_row(View row, LogBytes& into);
    Result<void> tell();
    Error ended();

    Connection session_;
    std::string slot_;
    LogSource source_;
    std::uint64_t next_lsn_ = 0;
    std::uint64_t confirmed_ = 0;
    std::uint64_t source_end_ = 0;
    std::int64_t told_ns_ = 0;
};

/// "holdfast_" and the words, as far as a slot's name may have their letters.
std::string slot_name(const std::string& system, const std::string& source);

}  // namespace holdfast::agent::postgres
