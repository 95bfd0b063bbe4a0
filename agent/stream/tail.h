// Tail: a snapshot that is another one with more of a database's log. It reads nothing of the
// sources anew, and costs what came of the log since.
//
// The log is a source of its own, SOURCE.wal of kind "postgres-log": files as PostgreSQL names
// them, from the one in which the copy stopped, up to where the log had come; the last one has a
// hole behind that. PostgreSQL brings them in by restore_command
// (agent/source/postgres/recovery.h). Each tail has all log since the copy, so the newest makes the
// older ones of its base needless.
//
// Belongs to one thread. Memory: the log that came since the last commit, and 40 bytes for each
// 64 KiB of the log since the copy.
#pragma once

#include "agent/source/postgres/log_files.h"
#include "agent/source/postgres/log_stream.h"
#include "agent/stream/tail_base.h"
#include "vault/vault.h"

#include <map>
#include <string>

namespace holdfast::agent {

class Tail {
public:
    Tail(std::string system, std::string source, const postgres::LogSource& from)
        : system_(std::move(system)), source_(std::move(source)), from_(from) {}

    /// Goes on from a snapshot of the system: what of the log it has already is forgotten.
    /// Errors: Corrupt (its facts), NotFound (a copy of another cluster, or of another timeline).
    Result<void> begin(TailBase base);
    /// Takes up the log of the newest tail of the base, if there is one and it can be read.
    /// Errors: Io.
    Result<void> resume(vault::Vault& vault);

    /// Where the next bytes must begin.
    std::uint64_t next_lsn() const { return next_lsn_; }
    void add(const postgres::LogBytes& bytes);
    /// Log that is in no snapshot yet.
    std::uint64_t pending_bytes() const { return next_lsn_ - committed_lsn_; }
    const vault::SnapshotId& base() const { return base_.snapshot; }

    /// Makes a snapshot of it. Errors: NotFound (the base, or log of it, is there no more), Locked,
    /// Corrupt, Full, Io, Conflict; then nothing is lost here.
    Result<vault::SnapshotRecord> commit(vault::Vault& vault, const SystemSettings& system,
                                         std::int64_t now_ms, unsigned workers);

private:
    struct LogFile {
        vault::Extents stored;           // Whole pieces.
        std::uint64_t stored_bytes = 0;  // That these are.
        Buffer open;                     // What came behind them.

        std::uint64_t size() const { return stored_bytes + open.size(); }
    };
    std::uint64_t file_of(std::uint64_t lsn) const { return lsn / from_.segment_bytes; }
    std::string name_of(std::uint64_t file) const;
    Result<std::map<std::uint64_t, vault::Extents>> write_files(vault::SnapshotWriter& writer);
    Result<void> add_source(vault::SnapshotWriter& writer, const SystemSettings& system);
    void settle(LogFile& file, std::uint64_t size, const vault::Extents& extents) const;
    std::string facts() const;

    std::string system_;
    std::string source_;
    postgres::LogSource from_;
    TailBase base_;
    std::uint64_t next_lsn_ = 0;
    std::uint64_t committed_lsn_ = 0;
    std::map<std::uint64_t, LogFile> files_;  // By number: a position divided by a file's bytes.
};

}  // namespace holdfast::agent
