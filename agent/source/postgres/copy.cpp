#include "agent/source/postgres/copy.h"

#include "agent/source/postgres/collector.h"
#include "agent/source/postgres/connection.h"
#include "agent/source/postgres/facts.h"
#include "agent/source/postgres/layout.h"
#include "vault/base/clock.h"

#include <algorithm>
#include <charconv>

namespace holdfast::agent::postgres {

namespace {

constexpr int slot_timeout_ms = 60'000;
constexpr int drop_timeout_ms = 10'000;
constexpr const char* data_corrupted = "XX001";

/// One run of copy_cluster.
class ClusterCopy {
public:
    ClusterCopy(const PostgresSettings& settings, Sink& sink, const Progress& progress)
        : settings_(settings), sink_(sink), progress_(progress), collector_(sink) {}

    Result<PostgresFacts> run();

private:
    // In the order they run.
    Result<void> make_slot(Connection& session);
    Result<void> start_backup(Connection& session);
    Result<void> read_tablespaces(const PGresult* rows);
    Result<void> read_archives(Connection& session);
    Result<void> read_rows(Connection& session);
    Result<void> take_message(View message);
    Result<void> enter_archive(std::string_view name);
    Result<void> end_archive();
    Result<void> finish_backup(Connection& session);
    Result<void> check_whole();
    Result<void> report_notices(const Connection& session);

    std::string backup_command() const;
    Result<void> copy(Connection& session);
    bool stopped() const { return progress_ && !progress_(collector_.bytes(), expected_bytes_); }

    const PostgresSettings& settings_;
    Sink& sink_;
    const Progress& progress_;
    Collector collector_;
    std::optional<TarReader> archive_;
    std::vector<std::string> archives_;  // Before 15: the folder of each, in the order sent.
    bool in_manifest_ = false;
    std::uint64_t expected_bytes_ = 0;
    std::uint64_t told_bytes_ = 0;
    std::uint32_t root_mode_ = 0700;
    std::string slot_;
    PostgresFacts facts_;
};

Result<PostgresFacts> ClusterCopy::run() {
    const Stopped stop = [this] { return stopped(); };
    Connection session = HF_TRY(Connection::open(settings_, Connection::Mode::Replication, stop));
    HF_TRY(read_server_facts(session, facts_));
    const std::string mode = HF_TRY(show(session, "data_directory_mode"));
    if (mode == "0750") root_mode_ = 0750;
    read_database_facts(settings_, facts_, stop);
    if (auto copied = copy(session); !copied) {
        session.abandon();
        return std::move(copied).error();
    }
    HF_TRY(collector_.deliver(root_mode_));
    return std::move(facts_);
}

Result<void> ClusterCopy::copy(Connection& session) {
    HF_TRY(make_slot(session));
    HF_TRY(start_backup(session));
    HF_TRY(read_archives(session));
    HF_TRY(finish_backup(session));
    HF_TRY(check_whole());
    return report_notices(session);
}

/// The slot reserves the log from the last checkpoint on, which is before the copy's start.
Result<void> ClusterCopy::make_slot(Connection& session) {
    slot_ = "holdfast_" + std::to_string(session.backend_pid());
    const bool brackets = session.server_version() >= new_syntax_version;
    const std::string command = "CREATE_REPLICATION_SLOT " + slot_ + " TEMPORARY PHYSICAL " +
                                (brackets ? "(RESERVE_WAL)" : "RESERVE_WAL");
    const auto made = session.query(command, slot_timeout_ms);
    if (!made) return Error(made.error()).within("reserve the log for the copy");
    return {};
}

/// No WAIT: the log is in the copy, so the server need not wait for its archive, which may be down.
/// No TABLESPACE_MAP: PostgreSQL would follow it back to the folders of the source.
/// No MANIFEST: its sums would be of files that the snapshot's own digests cover already.
std::string ClusterCopy::backup_command() const {
    const std::string rate = std::to_string(settings_.rate_kib_max);
    if (facts_.version_number < new_syntax_version) {
        return std::string("BASE_BACKUP LABEL 'holdfast' PROGRESS") +
               (settings_.fast_checkpoint ? " FAST" : "") + " WAL NOWAIT" +
               (settings_.rate_kib_max != 0 ? " MAX_RATE " + rate : "") + " MANIFEST 'no'";
    }
    return std::string("BASE_BACKUP (LABEL 'holdfast', PROGRESS, CHECKPOINT '") +
           (settings_.fast_checkpoint ? "fast" : "spread") + "', WAL, WAIT false, " +
           (settings_.rate_kib_max != 0 ? "MAX_RATE " + rate + ", " : "") + "MANIFEST 'no')";
}

/// Results: the start position; the tablespaces; then the archives as copies.
Result<void> ClusterCopy::start_backup(Connection& session) {
    HF_TRY(session.send(backup_command()));
    const PgResult start = HF_TRY(session.next_result(settings_.start_timeout_ms));
    const auto lsn = start ? parse_lsn(cell(start.get(), 0, 0)) : std::nullopt;
    if (!lsn) return Error{Errc::Corrupt, "the server does not say where the copy starts"};
    facts_.start_lsn = *lsn;
    const std::string timeline = cell(start.get(), 0, 1);
    std::from_chars(timeline.data(), timeline.data() + timeline.size(), facts_.timeline);
    const PgResult spaces = HF_TRY(session.next_result(settings_.start_timeout_ms));
    return read_tablespaces(spaces.get());
}

Result<void> ClusterCopy::read_tablespaces(const PGresult* rows) {
    if (rows == nullptr || static_cast<std::size_t>(PQntuples(rows)) > tablespaces_max) {
        return Error{Errc::Corrupt, "the server's list of tablespaces cannot be read"};
    }
    for (int row = 0; row < PQntuples(rows); ++row) {
        if (const auto kib = parse_size(cell(rows, row, 2))) expected_bytes_ += *kib << 10;
        const std::string oid = cell(rows, row, 0);
        if (oid.empty()) {  // The data folder itself.
            archives_.emplace_back();
            continue;
        }
        Tablespace space{0, cell(rows, row, 1)};
        const auto parsed = std::from_chars(oid.data(), oid.data() + oid.size(), space.oid);
        if (!is_oid(oid) || parsed.ec != std::errc()) {
            return Error{Errc::Corrupt, "the server names a tablespace without a number"};
        }
        archives_.push_back("pg_tblspc/" + oid);
        facts_.tablespaces.push_back(std::move(space));
    }
    return {};
}

/// From 15 on one copy whose messages say what they are; before, one copy an archive.
Result<void> ClusterCopy::read_archives(Connection& session) {
    const bool framed = facts_.version_number >= new_syntax_version;
    const std::size_t copies = framed ? 1 : archives_.size();
    for (std::size_t i = 0; i < copies; ++i) {
        const PgResult start = HF_TRY(session.next_result(settings_.idle_timeout_ms));
        if (!start || PQresultStatus(start.get()) != PGRES_COPY_OUT) {
            return Error{Errc::Corrupt, "the server ended before all archives were sent"};
        }
        if (!framed) {
            collector_.enter(archives_[i]);
            archive_.emplace(collector_);
        }
        HF_TRY(read_rows(session));
        if (auto whole = end_archive(); !whole) {
            // A server that gives up ends the copy first, and says why after it.
            HF_TRY(session.next_result(settings_.idle_timeout_ms));
            return whole;
        }
    }
    return {};
}

Result<void> ClusterCopy::read_rows(Connection& session) {
    constexpr std::uint64_t report_bytes = 8 << 20;
    while (const auto row = HF_TRY(session.copy_row(settings_.idle_timeout_ms))) {
        if (facts_.version_number >= new_syntax_version) {
            HF_TRY(take_message(row->view()));
        } else {
            HF_TRY(archive_->feed(row->view()));
        }
        if (collector_.bytes() - told_bytes_ < report_bytes) continue;
        told_bytes_ = collector_.bytes();
        if (stopped()) return Error{Errc::Interrupted, "the copy was stopped"};
    }
    return {};
}

/// 'n' name, location: a new archive. 'd': its bytes. 'm': the manifest follows. 'p': progress.
Result<void> ClusterCopy::take_message(View message) {
    if (message.empty()) return Error{Errc::Corrupt, "the server sent an empty message"};
    const View body = message.subspan(1);
    switch (message[0]) {
        case 'n':
            HF_TRY(end_archive());
            return enter_archive(as_text(body).substr(0, as_text(body).find('\0')));
        case 'd':
            if (in_manifest_) return {};
            if (!archive_) return Error{Errc::Corrupt, "the server sent data before an archive"};
            return archive_->feed(body);
        case 'm':
            in_manifest_ = true;
            return end_archive();
        case 'p':
            return {};
    }
    return Error{Errc::Corrupt, "the server sent a message of unknown kind"};
}

/// "base.tar" is the data folder, "OID.tar" a tablespace.
Result<void> ClusterCopy::enter_archive(std::string_view name) {
    const std::string_view stem = name.substr(0, name.find('.'));
    const bool is_base = name == "base.tar";
    if (!is_base && (!is_oid(stem) || !name.ends_with(".tar"))) {
        return Error{Errc::Corrupt, "the server sent an archive of unknown name"};
    }
    collector_.enter(is_base ? std::string() : "pg_tblspc/" + std::string(stem));
    archive_.emplace(collector_);
    return {};
}

Result<void> ClusterCopy::end_archive() {
    if (!archive_) return {};
    HF_TRY(archive_->finish());
    archive_.reset();
    return {};
}

/// The stop position; then, if it found bad pages, the server's error, when all has been sent.
Result<void> ClusterCopy::finish_backup(Connection& session) {
    const PgResult stop = HF_TRY(session.next_result(settings_.idle_timeout_ms));
    const auto lsn = stop ? parse_lsn(cell(stop.get(), 0, 0)) : std::nullopt;
    if (!lsn) return Error{Errc::Corrupt, "the server does not say where the copy stops"};
    facts_.stop_lsn = *lsn;
    facts_.stop_time_ms = system_clock().wall_ms();
    for (;;) {
        auto rest = session.next_result(settings_.idle_timeout_ms);
        if (!rest && session.last_state() == data_corrupted) {
            facts_.checksums_failed = true;
            continue;
        }
        if (!rest) return std::move(rest).error();
        if (*rest == nullptr) break;
    }
    // The session's end drops it as well, a moment later; so a failure here costs nothing, and must
    // not cost a copy that is whole. After an error the slot is gone already.
    if (!facts_.checksums_failed) {
        const auto dropped = session.query("DROP_REPLICATION_SLOT " + slot_, drop_timeout_ms);
        if (!dropped) sink_.warn({"", dropped.error().message});
    }
    return {};
}

/// Nothing missing of what recovery cannot do without.
Result<void> ClusterCopy::check_whole() {
    HF_TRY(collector_.arrange());
    for (const char* name : {"PG_VERSION", "backup_label", "global/pg_control"}) {
        if (!collector_.size_of(name)) {
            return Error{Errc::Corrupt, std::string("the server did not send ") + name};
        }
    }
    const std::uint64_t last_byte = std::max(facts_.stop_lsn, facts_.start_lsn + 1) - 1;
    const std::vector<std::string> logs = collector_.wal_files();
    // The log's number without its timeline: a standby may follow a new one during the copy.
    for (std::uint64_t at = facts_.start_lsn / facts_.wal_segment_bytes;
         at <= last_byte / facts_.wal_segment_bytes; ++at) {
        const std::string name = wal_segment_name(facts_.timeline, at * facts_.wal_segment_bytes,
                                                  facts_.wal_segment_bytes);
        const auto held = std::find_if(logs.begin(), logs.end(), [&](const std::string& log) {
            return log.compare(8, 16, name, 8, 16) == 0 &&
                   collector_.size_of("pg_wal/" + log) == facts_.wal_segment_bytes;
        });
        if (held == logs.end()) return Error{Errc::Corrupt, "the server did not send log " + name};
    }
    facts_.first_wal = logs.front();
    facts_.last_wal = logs.back();
    facts_.settings_in_folder = collector_.size_of("postgresql.conf").has_value();
    facts_.files = collector_.files();
    facts_.bytes = collector_.bytes();
    return {};
}

Result<void> ClusterCopy::report_notices(const Connection& session) {
    for (const std::string& notice : session.notices()) sink_.warn({"", notice});
    if (facts_.checksums_failed) {
        sink_.warn({"",
                    "the server found pages on its own disk whose checksum does not fit; the "
                    "copy holds them as they are"});
    }
    return {};
}

}  // namespace

Result<PostgresFacts> copy_cluster(const PostgresSettings& settings, Sink& sink,
                                   const Progress& progress) {
    return ClusterCopy(settings, sink, progress).run();
}

}  // namespace holdfast::agent::postgres
