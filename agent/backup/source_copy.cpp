#include "agent/backup/source_copy.h"

#include "agent/backup/journaled.h"
#include "agent/config/nbd_uri.h"
#include "agent/source/command/copy.h"
#include "agent/source/files/copy.h"
#include "agent/source/hook/hook.h"
#include "agent/source/image/copy.h"
#include "agent/source/moment/moment.h"
#include "agent/source/moment/translating_sink.h"
#include "agent/source/postgres/copy.h"
#include "agent/source/sqlite/copy.h"

#include "vault/base/glob.h"
#include "vault/base/json.h"

#include <memory>
#include <optional>
#include <string_view>

namespace holdfast::agent {
namespace {

Json facts_of(const files::FilesFacts& facts) {
    return {{"files", facts.files},       {"folders", facts.folders},
            {"excluded", facts.excluded}, {"vanished", facts.vanished},
            {"changed", facts.changed},   {"unreadable", facts.unreadable}};
}

std::string facts_of(const postgres::PostgresFacts& facts) {
    Json out{{"version", facts.version},
             {"version_number", facts.version_number},
             {"system_id", facts.system_id},
             {"timeline", facts.timeline},
             {"start_lsn", facts.start_lsn},
             {"stop_lsn", facts.stop_lsn},
             {"stop_time_ms", facts.stop_time_ms},
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

std::string scratch_of(const CopyContext& context) {
    return context.scratch.empty() ? "/var/tmp" : context.scratch;
}

/// Adds what a source tells to what was read before it.
auto tell_bytes(BackupProgress& progress) {
    return [&progress, before = progress.read_bytes.load()](std::uint64_t done, std::uint64_t all) {
        progress.read_bytes = before + done;
        progress.expected_bytes = before + all;
        return !progress.stop;
    };
}
auto tell_files(BackupProgress& progress) {
    return [&progress, bytes = progress.read_bytes.load(),
            entries = progress.entries.load()](const files::FilesFacts& so_far) {
        progress.entries = entries + so_far.entries;
        progress.read_bytes = bytes + so_far.read_bytes;
        return !progress.stop;
    };
}

/// What was read is good, even if letting go of it failed.
void end_hook(hook::Hook& hook, const std::string& path, Sink& sink) {
    const auto ended = hook.end(true);
    if (!ended) sink.warn({path, ended.error().message});
}

/// What holds a folder tree at one moment, and where it is read meanwhile.
struct HeldTree {
    std::string folder;
    std::unique_ptr<moment::Moment> moment;
    std::optional<hook::Hook> hook;
    bool told_elsewhere = false;  // The hook said where.
};

/// Fails only if what was read is worth nothing; what is left behind is a warning.
Result<void> end_moment(moment::Moment& moment, Sink& sink) {
    auto ended = moment.end();
    if (!ended && ended.error().code == Errc::Full) return ended;
    if (!ended) sink.warn({"", ended.error().message});
    return {};
}

/// A hook around a snapshot lets go as soon as that is taken; one that holds the tree itself waits.
Result<HeldTree> hold(const FilesSourceSettings& source, const std::string& name,
                      const std::vector<Glob>& excludes, Sink& sink, const CopyContext& context) {
    constexpr std::string_view answers[] = {"path"};
    HeldTree held{source.path, nullptr, {}, false};
    if (!source.hook.begin.empty()) {
        held.hook.emplace(
            HF_TRY(hook::Hook::begin({source.hook.begin, source.hook.end, source.hook.timeout_ms},
                                     {context.system, name, {}}, answers)));
        const std::string path = held.hook->answer("path");
        held.told_elsewhere = !path.empty();
        if (held.told_elsewhere) held.folder = path;
    }
    if (source.atomic == Atomic::Btrfs) {
        held.moment = HF_TRY(moment::hold_btrfs(held.folder, excludes));
    } else if (source.atomic == Atomic::Reflink) {
        held.moment = HF_TRY(moment::hold_reflink(held.folder));
    } else if (source.atomic == Atomic::Lvm) {
        held.moment = HF_TRY(moment::hold_lvm(held.folder, scratch_of(context)));
    }
    if (held.moment == nullptr) return held;
    held.folder = held.moment->folder();
    if (held.hook) end_hook(*held.hook, "", sink);
    held.hook.reset();
    return held;
}

Result<std::string> copy(const FilesSourceSettings& source, const SourceSettings& named, Sink& sink,
                         const CopyContext& context) {
    const std::vector<Glob> excludes = HF_TRY(parse_globs(source.exclude).within("excludes"));
    std::optional<Journaled> journal;
    if (source.journal && context.journal != nullptr)
        journal = Journaled::begin(source, named.name, context);
    HeldTree held = HF_TRY(hold(source, named.name, excludes, sink, context));
    files::FilesSettings settings;
    settings.folder = held.folder;
    settings.excludes = source.exclude;
    if (held.moment) {
        for (std::string& name : held.moment->own_names()) {
            settings.excludes.push_back(std::move(name));
        }
    }
    settings.one_file_system = source.one_file_system;
    std::optional<moment::TranslatingSink> translating;
    const auto through = [&](Sink& inner) -> Sink& {
        if (!held.moment) return inner;
        return translating.emplace(*held.moment, inner);
    };
    if (journal && held.told_elsewhere) {
        journal->rule_out("the hook told another path to read");
    }
    const auto progress = tell_files(context.progress);
    const auto facts = HF_TRY(journal ? journal->copy(settings, sink, through, progress)
                                      : files::copy_tree(settings, through(sink), progress));
    if (held.moment) HF_TRY(end_moment(*held.moment, sink));
    if (held.hook) end_hook(*held.hook, "", sink);
    Json out = facts_of(facts);
    if (journal) out["journal"] = journal->facts(facts);
    return json_text(out);
}

Result<std::string> copy(const PostgresSourceSettings& source, const SourceSettings&, Sink& sink,
                         const CopyContext& context) {
    return facts_of(HF_TRY(
        postgres::copy_cluster(postgres_settings(source), sink, tell_bytes(context.progress))));
}

Result<std::string> copy(const SqliteSourceSettings& source, const SourceSettings&, Sink& sink,
                         const CopyContext& context) {
    const std::string folder = scratch_of(context);
    const auto facts =
        HF_TRY(sqlite::copy_database({source.path, folder}, sink, tell_bytes(context.progress)));
    return json_text(
        {{"bytes", facts.bytes}, {"page_bytes", facts.page_bytes}, {"sound", facts.sound}});
}

Result<std::string> copy(const CommandSourceSettings& source, const SourceSettings&, Sink& sink,
                         const CopyContext& context) {
    BackupProgress& progress = context.progress;
    const std::uint64_t read_before = progress.read_bytes;
    const auto facts = HF_TRY(command::copy_output({source.command, source.file, source.timeout_ms},
                                                   sink, [&](std::uint64_t bytes) {
                                                       progress.read_bytes = read_before + bytes;
                                                       return !progress.stop;
                                                   }));
    return json_text({{"bytes", facts.bytes}, {"took_ms", facts.took_ms}});
}

/// Empty if the snapshot before told none.
std::string checkpoint_of(const std::string& facts) {
    const Json parsed = Json::parse(facts, nullptr, false);
    const auto told = parsed.is_object() ? parsed.find("checkpoint") : parsed.end();
    return told != parsed.end() && told->is_string() ? told->get<std::string>() : std::string();
}

Result<std::string> copy(const ImageSourceSettings& source, const SourceSettings& named, Sink& sink,
                         const CopyContext& context) {
    constexpr std::string_view answers[] = {"path", "bitmap", "checkpoint"};
    const std::string checkpoint = checkpoint_of(context.facts_before);
    image::ImageSettings settings{source.path, false, source.file, {}};
    std::optional<hook::Hook> hook;
    if (!source.hook.begin.empty()) {
        hook.emplace(
            HF_TRY(hook::Hook::begin({source.hook.begin, source.hook.end, source.hook.timeout_ms},
                                     {context.system, named.name, checkpoint}, answers)));
        const std::string path = hook->answer("path");
        if (!path.empty()) settings.place = path;
        if (!checkpoint.empty()) settings.bitmap = hook->answer("bitmap");
    }
    if (settings.place.empty()) {
        return Error{Errc::Invalid, "begin (" + source.hook.begin[0] +
                                        ") told no path, and the settings have none"};
    }
    settings.nbd = is_nbd_uri(settings.place);
    const auto facts = HF_TRY(image::copy_image(settings, sink, tell_bytes(context.progress)));
    if (hook) end_hook(*hook, source.file, sink);
    Json out{{"bytes", facts.bytes},
             {"read_bytes", facts.read_bytes},
             {"hole_bytes", facts.hole_bytes},
             {"unchanged_bytes", facts.unchanged_bytes},
             {"changed", facts.changed}};
    if (hook && !hook->answer("checkpoint").empty()) out["checkpoint"] = hook->answer("checkpoint");
    return json_text(out);
}

Result<std::string> copy(const LandingSourceSettings& source, const SourceSettings&, Sink& sink,
                         const CopyContext& context) {
    const auto facts = HF_TRY(landing::copy_landing(landing_settings(source), sink, system_clock(),
                                                    tell_files(context.progress)));
    return json_text({{"files", facts.files.files},
                      {"waiting", facts.waiting},
                      {"sealed", facts.sealed},
                      {"removed", facts.removed},
                      {"changed", facts.files.changed},
                      {"unreadable", facts.files.unreadable}});
}

struct PlaceOf {
    std::string operator()(const FilesSourceSettings& files) const { return files.path; }
    std::string operator()(const PostgresSourceSettings& database) const {
        return database.host + ":" + std::to_string(database.port);
    }
    std::string operator()(const SqliteSourceSettings& database) const { return database.path; }
    std::string operator()(const LandingSourceSettings& share) const { return share.path; }
    /// The program alone: arguments may be nobody else's business.
    std::string operator()(const CommandSourceSettings& output) const {
        return output.command.empty() ? std::string() : output.command.front();
    }
    std::string operator()(const ImageSourceSettings& image) const {
        return image.path.empty() ? image.hook.begin.front() : image.path;
    }
};

}  // namespace

landing::LandingSettings landing_settings(const LandingSourceSettings& source) {
    landing::LandingSettings settings;
    settings.folder = source.path;
    settings.excludes = source.exclude;
    settings.quiet_ms = source.quiet_ms;
    settings.marker = source.marker;
    settings.immutable = source.immutable;
    settings.keep_ms = source.keep_ms;
    for (const ExpectSettings& one : source.expect) {
        settings.expected.push_back({one.pattern, one.every_ms, one.bytes_min});
    }
    return settings;
}

postgres::PostgresSettings postgres_settings(const PostgresSourceSettings& source) {
    postgres::PostgresSettings settings;
    settings.host = source.host;
    settings.port = source.port;
    settings.user = source.user;
    settings.passfile = source.passfile;
    settings.sslmode = source.sslmode;
    settings.sslrootcert = source.sslrootcert;
    return settings;
}

std::string source_place(const SourceSettings& source) {
    return std::visit(PlaceOf{}, source.of);
}

Result<std::string> copy_source(const SourceSettings& source, Sink& sink,
                                const CopyContext& context) {
    return std::visit([&](const auto& of) { return copy(of, source, sink, context); }, source.of);
}

}  // namespace holdfast::agent
