#include "agent/backup/source_copy.h"

#include "agent/source/command/copy.h"
#include "agent/source/files/copy.h"
#include "agent/source/postgres/copy.h"
#include "agent/source/sqlite/copy.h"

#include "vault/base/json.h"

namespace holdfast::agent {
namespace {

std::string facts_of(const files::FilesFacts& facts) {
    return json_text({{"files", facts.files},
                      {"folders", facts.folders},
                      {"excluded", facts.excluded},
                      {"vanished", facts.vanished},
                      {"changed", facts.changed},
                      {"unreadable", facts.unreadable}});
}

std::string facts_of(const postgres::PostgresFacts& facts) {
    Json out{{"version", facts.version},
             {"version_number", facts.version_number},
             {"system_id", facts.system_id},
             {"timeline", facts.timeline},
             {"start_lsn", facts.start_lsn},
             {"stop_lsn", facts.stop_lsn},
             {"first_wal", facts.first_wal},
             {"last_wal", facts.last_wal},
             {"wal_segment_bytes", facts.wal_segment_bytes},
             {"block_bytes", facts.block_bytes},
             {"data_checksums", facts.data_checksums},
             {"settings_in_folder", facts.settings_in_folder},
             {"tablespaces", Json::array()},
             {"databases", Json::array()},
             {"settings", Json::object()}};
    for (const postgres::Tablespace& space : facts.tablespaces) {
        out["tablespaces"].push_back({{"oid", space.oid}, {"location", space.location}});
    }
    for (const postgres::DatabaseLocale& database : facts.databases) {
        out["databases"].push_back({{"name", database.name},
                                    {"encoding", database.encoding},
                                    {"collate", database.collate},
                                    {"ctype", database.ctype},
                                    {"provider", database.provider},
                                    {"collation_version", database.collation_version}});
    }
    for (const auto& [name, value] : facts.settings) out["settings"][name] = value;
    return json_text(out);
}

Result<std::string> copy(const FilesSourceSettings& source, Sink& sink, BackupProgress& progress,
                         const std::string&) {
    files::FilesSettings settings;
    settings.folder = source.path;
    settings.excludes = source.exclude;
    settings.one_file_system = source.one_file_system;
    const std::uint64_t read_before = progress.read_bytes;
    const std::uint64_t entries_before = progress.entries;
    return facts_of(HF_TRY(files::copy_tree(settings, sink, [&](const files::FilesFacts& so_far) {
        progress.entries = entries_before + so_far.entries;
        progress.read_bytes = read_before + so_far.read_bytes;
        return !progress.stop;
    })));
}

Result<std::string> copy(const PostgresSourceSettings& source, Sink& sink, BackupProgress& progress,
                         const std::string&) {
    postgres::PostgresSettings settings;
    settings.host = source.host;
    settings.port = source.port;
    settings.user = source.user;
    settings.passfile = source.passfile;
    settings.sslmode = source.sslmode;
    settings.sslrootcert = source.sslrootcert;
    const std::uint64_t read_before = progress.read_bytes;
    return facts_of(HF_TRY(
        postgres::copy_cluster(settings, sink, [&](std::uint64_t done, std::uint64_t expected) {
            progress.read_bytes = read_before + done;
            progress.expected_bytes = read_before + expected;
            return !progress.stop;
        })));
}

Result<std::string> copy(const SqliteSourceSettings& source, Sink& sink, BackupProgress& progress,
                         const std::string& scratch) {
    const std::uint64_t read_before = progress.read_bytes;
    const std::string folder = scratch.empty() ? "/var/tmp" : scratch;
    const auto facts = HF_TRY(sqlite::copy_database({source.path, folder}, sink,
                                                    [&](std::uint64_t done, std::uint64_t all) {
                                                        progress.read_bytes = read_before + done;
                                                        progress.expected_bytes = read_before + all;
                                                        return !progress.stop;
                                                    }));
    return json_text(
        {{"bytes", facts.bytes}, {"page_bytes", facts.page_bytes}, {"sound", facts.sound}});
}

Result<std::string> copy(const CommandSourceSettings& source, Sink& sink, BackupProgress& progress,
                         const std::string&) {
    const std::uint64_t read_before = progress.read_bytes;
    const auto facts = HF_TRY(command::copy_output({source.command, source.file, source.timeout_ms},
                                                   sink, [&](std::uint64_t bytes) {
                                                       progress.read_bytes = read_before + bytes;
                                                       return !progress.stop;
                                                   }));
    return json_text({{"bytes", facts.bytes}, {"took_ms", facts.took_ms}});
}

struct PlaceOf {
    std::string operator()(const FilesSourceSettings& files) const { return files.path; }
    std::string operator()(const PostgresSourceSettings& database) const {
        return database.host + ":" + std::to_string(database.port);
    }
    std::string operator()(const SqliteSourceSettings& database) const { return database.path; }
    /// The program alone: arguments may be nobody else's business.
    std::string operator()(const CommandSourceSettings& output) const {
        return output.command.empty() ? std::string() : output.command.front();
    }
};

}  // namespace

std::string source_place(const SourceSettings& source) {
    return std::visit(PlaceOf{}, source.of);
}

Result<std::string> copy_source(const SourceSettings& source, Sink& sink, BackupProgress& progress,
                                const std::string& scratch) {
    return std::visit([&](const auto& of) { return copy(of, sink, progress, scratch); }, source.of);
}

}  // namespace holdfast::agent
