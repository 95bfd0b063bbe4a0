// The postgres source: copies a running PostgreSQL cluster (13 to 17) whole, over its replication
// protocol, into a Sink.
//
// What it promises:
// 1. The snapshot is a data folder that PostgreSQL recovers to the moment the copy ended, however
//    busy the source was: the log from start to stop position is in it, checked name by name.
// 2. It needs a role with LOGIN and REPLICATION, and nothing else: no superuser, no SQL.
// 3. Nothing is written to disk on the way. What is read goes to the sink as it arrives.
// 4. The source keeps its log for the copy's time by a temporary replication slot that belongs to
//    the session. The server drops it when the session ends, however it ends.
// 5. Entries are added at the end, in path order, after the server has said that the copy is whole.
//    Until then the sink holds contents without entries, which are nothing.
//
// One session does it all: slot, then BASE_BACKUP with the log at its end, which the slot keeps
// from being recycled. A second session that streams the log meanwhile, as pg_basebackup does,
// would spare the source that log for the copy's time, but has nowhere to put it: the sink takes
// one content at a time, and memory is bounded. What the source keeps is what it writes meanwhile.
//
// Tablespaces become folders pg_tblspc/OID/ in the snapshot; where they were is in the facts. Such
// a copy starts with allow_in_place_tablespaces=on (prepare.h sets it).
//
// Thread rule: blocks; call from a worker. Memory: about 150 bytes and its path for each file.
#pragma once

#include "agent/source/sink.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::agent::postgres {

constexpr std::size_t cluster_files_max = 8'000'000;
constexpr std::size_t tablespaces_max = 10'000;
constexpr std::size_t databases_max = 100'000;

/// How to reach the cluster; the [source.postgres] part of the settings.
struct PostgresSettings {
    std::string host = "/var/run/postgresql";  // A name, an address, or the folder of the socket.
    std::uint16_t port = 5432;
    std::string user = "holdfast";
    std::string passfile;                 // libpq's format, mode 0600. Empty: no password is sent.
    std::string sslmode = "verify-full";  // As libpq; does not count on a socket.
    std::string sslrootcert;              // Empty: libpq's default file.
    std::string describe_database = "postgres";  // Where locales are looked up; empty: not at all.
    bool fast_checkpoint = true;                 // false: wait for the server's next one, gently.
    std::uint32_t rate_kib_max = 0;              // KiB a second; 0: as fast as it goes.
    int connect_timeout_ms = 15'000;
    int start_timeout_ms = 30 * 60'000;  // For the checkpoint before the first byte.
    int idle_timeout_ms = 2 * 60'000;    // Without a byte while the copy runs.
};

struct Tablespace {
    std::uint32_t oid = 0;
    std::string location;  // Folder on the source.
};

/// A database's text rules: an index on text is only right where these are the same.
struct DatabaseLocale {
    std::string name, encoding, collate, ctype;
    std::string provider;           // "c": libc, "i": ICU, "b": built in; empty before 15.
    std::string collation_version;  // As the source recorded it; empty before 15.
};

/// What is known of the copy, kept with the snapshot.
struct PostgresFacts {
    std::string version;     // As the server says it: "15.6 (Debian 15.6-0+deb12u1)".
    int version_number = 0;  // 150006
    std::string system_id;   // Decimal; the same for all copies of one cluster.
    std::uint32_t timeline = 0;
    std::uint64_t start_lsn = 0;
    std::uint64_t stop_lsn = 0;     // Recovery must reach it before the copy is whole.
    std::int64_t stop_time_ms = 0;  // By this machine's clock, when the server had said so.
    std::string first_wal;          // Names of the first and last log file in pg_wal/.
    std::string last_wal;
    std::uint64_t wal_segment_bytes = 0;
    std::uint64_t block_bytes = 0;
    bool data_checksums = false;
    bool checksums_failed = false;    // The server found pages on its own disk that are wrong.
    bool settings_in_folder = false;  // postgresql.conf is in the snapshot (on Debian it is not).
    std::vector<Tablespace> tablespaces;
    std::vector<DatabaseLocale> databases;  // Empty where the role may not look.
    std::string databases_missing;          // Why it is empty.
    std::vector<std::pair<std::string, std::string>> settings;  // Needed again by a standby.
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

/// Told of bytes done and expected (the server's estimate, without the log; 0: none), at least
/// twice a second even when nothing moves. false: stop the copy. May be empty.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t expected)>;

/// Copies the cluster. What the server finds wrong with its own pages becomes warnings.
/// Errors: Invalid (settings; a server that is too old, or not set up for copies; a stream that
/// cannot be read), Denied (login, the role's rights), Unreachable (no answer, or it ended the
/// copy), Corrupt (the copy is not whole), Interrupted (stopped by `progress`), the sink's own.
Result<PostgresFacts> copy_cluster(const PostgresSettings& settings, Sink& sink,
                                   const Progress& progress);

}  // namespace holdfast::agent::postgres
