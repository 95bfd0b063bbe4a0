// snapshot, snapshots, restore: the vault's daily work.
#include "agent/backup/backup.h"
#include "agent/cli/after_snapshot.h"
#include "agent/cli/context.h"
#include "agent/cli/vault_at.h"
#include "agent/cli/watch.h"
#include "agent/config/systems.h"
#include "agent/failover/older_term.h"
#include "agent/node/node.h"
#include "agent/restore/restore_snapshot.h"
#include "agent/restore/survey.h"
#include "vault/base/worker_pool.h"

#include <fmt/format.h>
#include "vault/base/json.h"

#include <filesystem>
#include <memory>

namespace holdfast::agent::cli {
namespace {

constexpr std::size_t warnings_shown_max = 20;

Json to_json(const vault::SnapshotRecord& record) {
    return {{"id", record.id.hex()},
            {"system", record.system},
            {"time", format_time(record.time)},
            {"time_ms", record.time},
            {"entries", record.entries},
            {"bytes", record.bytes},
            {"new_bytes", record.new_bytes},
            {"stored_bytes", record.stored_bytes},
            {"warnings", record.warnings}};
}

template <class Warnings>
void show_warnings(const Warnings& warnings) {
    for (std::size_t i = 0; i < warnings.size() && i < warnings_shown_max; ++i) {
        warn(warnings[i].path + ": " + warnings[i].what);
    }
    if (warnings.size() > warnings_shown_max) {
        warn(fmt::format("and {} more", warnings.size() - warnings_shown_max));
    }
}

struct SnapshotOptions {
    std::string system;
    std::string path;
    bool read_all = false;
};

Result<SystemSettings> wanted_system(const Home& home, const SnapshotOptions& options) {
    if (options.path.empty()) return load_system(home, options.system);
    std::error_code failed;
    const auto folder = std::filesystem::absolute(options.path, failed).lexically_normal();
    if (failed) return Error{Errc::Invalid, options.path + ": " + failed.message()};
    std::string text = folder.string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return write_system_for_path(home, options.system, text);
}

int snapshot(const Context& context, const SnapshotOptions& options) {
    const Home home = context.home();
    auto node = open_node(home);
    if (!node) return fail(node.error());
    auto system = wanted_system(home, options);
    if (!system) return fail(system.error());
    if (auto newest = check_term(home, *system, system_clock()); !newest) {
        return fail(newest.error());
    }
    BackupProgress progress;
    const auto start = system_clock().steady_ns();
    auto taken = watch(
        "snapshot " + options.system, progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.read_bytes, progress.expected_bytes,
                      fmt::format("{} paths", progress.entries.load()));
        },
        [&] {
            return take_snapshot(*node->vault, *system, system_clock(),
                                 {default_workers(), options.read_all, &progress, home.state});
        });
    if (!taken) return fail(taken.error());
    replicate_soon(home);
    const std::int64_t took_ms = (system_clock().steady_ns() - start) / 1'000'000;
    const vault::SnapshotRecord& record = taken->record;
    if (context.json) {
        Json out = to_json(record);
        out["unchanged"] = taken->unchanged;
        out["read_bytes"] = taken->read_bytes;
        out["took_ms"] = took_ms;
        out["warning_list"] = Json::array();
        for (const auto& warning : taken->warnings) {
            out["warning_list"].push_back(
                {{"source", warning.source}, {"path", warning.path}, {"what", warning.what}});
        }
        fmt::print("{}\n", json_text(out));
    } else {
        fmt::print("{} of {}: {} paths, {}; {} new, stored as {}; {}\n", record.id.brief(),
                   record.system, record.entries, human_bytes(record.bytes),
                   human_bytes(record.new_bytes), human_bytes(record.stored_bytes),
                   human_duration(took_ms));
        show_warnings(taken->warnings);
    }
    return taken->warnings.empty() ? Done : DoneWithWarnings;
}

int snapshots(const Context& context, const std::string& system, const std::string& from) {
    auto at = open_vault_at(context.home(), from);
    if (!at) return fail(at.error());
    Json out = Json::array();
    const std::int64_t now = system_clock().wall_ms();
    if (!context.json) {
        fmt::print("{:<12}  {:<16} {:<20}  {:>10}  {:>10}  {}\n", "ID", "SYSTEM", "TIME (UTC)",
                   "SIZE", "STORED", "AGE");
    }
    for (const vault::SnapshotRecord& record : at->reader().snapshots()) {
        if (!system.empty() && record.system != system) continue;
        out.push_back(to_json(record));
        if (context.json) continue;
        fmt::print("{:<12}  {:<16} {:<20}  {:>10}  {:>10}  {}{}\n", record.id.brief(),
                   record.system, format_time(record.time), human_bytes(record.bytes),
                   human_bytes(record.stored_bytes), human_age(now - record.time),
                   record.warnings == 0 ? "" : fmt::format("  {} warnings", record.warnings));
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return Done;
}

struct RestoreOptions {
    std::string snapshot;
    std::string latest;
    std::string to;
    std::string from;
    std::vector<std::string> includes;
    bool dry_run = false;
    bool owners_by_name = false;
    std::string owner;
    std::vector<std::string> map_users, map_groups;
};

Result<OwnerRules> owner_rules(const RestoreOptions& options) {
    OwnerRules rules;
    if (options.owners_by_name) rules.by_name();
    if (!options.owner.empty()) HF_TRY(rules.all_to(options.owner).within("--owner"));
    for (const std::string& pair : options.map_users) {
        HF_TRY(rules.map_user(pair).within("--map-user"));
    }
    for (const std::string& pair : options.map_groups) {
        HF_TRY(rules.map_group(pair).within("--map-group"));
    }
    return rules;
}

/// What the restore would do, and whether there is room for it.
int survey(const Context& context, vault::VaultReader& reader, const vault::SnapshotRecord& record,
           RestoreSettings& settings) {
    const auto found = watch(
        "survey " + record.system, settings.progress->stop,
        [&](ProgressLine& line) {
            line.show(settings.progress->bytes, record.bytes,
                      fmt::format("{} paths", settings.progress->entries.load()));
        },
        [&] { return survey_restore(reader, record, settings); });
    if (!found) return fail(found.error());
    if (context.json) {
        fmt::print("{}\n", json_text(Json{{"dry_run", true},
                                          {"snapshot", record.id.hex()},
                                          {"system", record.system},
                                          {"time_ms", record.time},
                                          {"to", settings.folder},
                                          {"entries", found->entries},
                                          {"files", found->files},
                                          {"folders", found->folders},
                                          {"bytes", found->bytes},
                                          {"data_bytes", found->data_bytes},
                                          {"free_bytes", found->free_bytes}}));
    } else {
        fmt::print(
            "{} of {} ({}): {} paths, {} ({} without holes) would come to {}, where {} are "
            "free\n",
            record.id.brief(), record.system, format_time(record.time), found->entries,
            human_bytes(found->bytes), human_bytes(found->data_bytes), settings.folder,
            human_bytes(found->free_bytes));
    }
    if (found->data_bytes <= found->free_bytes) return Done;
    return fail(
        {Errc::Full, fmt::format("{} needs {}, but has {} free", settings.folder,
                                 human_bytes(found->data_bytes), human_bytes(found->free_bytes))});
}

int restore(const Context& context, const RestoreOptions& options) {
    auto owners = owner_rules(options);
    if (!owners) return fail(owners.error());
    auto at = open_vault_at(context.home(), options.from);
    if (!at) return fail(at.error());
    vault::VaultReader& reader = at->reader();
    auto record =
        options.latest.empty() ? reader.find(options.snapshot) : reader.latest(options.latest);
    if (!record) return fail(record.error());
    RestoreProgress progress;
    RestoreSettings settings;
    settings.folder = options.to;
    settings.includes = options.includes;
    settings.owners = std::move(*owners);
    settings.progress = &progress;
    if (options.dry_run) return survey(context, reader, *record, settings);
    auto facts = watch(
        "restore " + record->system, progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes, record->bytes,
                      fmt::format("{} paths", progress.entries.load()));
        },
        [&] { return restore_snapshot(reader, *record, settings); });
    if (!facts && !options.from.empty()) {
        return fail({facts.error().code, options.from + ": " + facts.error().message});
    }
    if (!facts) return fail(facts.error());
    if (context.json) {
        Json out{{"snapshot", record->id.hex()}, {"system", record->system},
                 {"time_ms", record->time},      {"to", options.to},
                 {"entries", facts->entries},    {"bytes", facts->bytes},
                 {"damaged", Json::array()},     {"warnings", Json::array()}};
        for (const auto& one : facts->damaged) {
            out["damaged"].push_back({{"path", one.path}, {"what", one.what}});
        }
        for (const auto& one : facts->warnings) {
            out["warnings"].push_back({{"path", one.path}, {"what", one.what}});
        }
        fmt::print("{}\n", json_text(out));
    } else {
        fmt::print("{} of {} ({}): {} paths, {} restored to {}\n", record->id.brief(),
                   record->system, format_time(record->time), facts->entries,
                   human_bytes(facts->bytes), options.to);
        show_warnings(facts->damaged);
        show_warnings(facts->warnings);
    }
    if (facts->damaged_paths != 0) {
        return fail(
            {Errc::Corrupt,
             fmt::format("{} paths are damaged {}; the rest is restored", facts->damaged_paths,
                         options.from.empty() ? "in the vault (holdfast verify names the packs)"
                                              : "at " + options.from)});
    }
    return facts->warnings.empty() ? Done : DoneWithWarnings;
}

void add_restore(Command app, Context& context) {
    auto options = std::make_shared<RestoreOptions>();
    Command verb = app.add_subcommand("restore", "write a snapshot's content into a new folder");
    auto id = verb.add_option("SNAPSHOT", options->snapshot, "the snapshot's id, or its beginning");
    auto latest = verb.add_option("--latest", options->latest, "the newest of this system")
                      .type_name("SYSTEM");
    id.excludes(latest);
    verb.add_option("--to", options->to, "a folder that is new or empty")
        .required()
        .type_name("DIR");
    verb.add_option("--from", options->from, "from what this partner holds of our vault")
        .type_name("PARTNER");
    verb.add_option("--include", options->includes, "only paths that match (may be repeated)")
        .type_name("GLOB");
    verb.add_flag("--owners-by-name", options->owners_by_name,
                  "to the users and groups that have these names here");
    verb.add_option("--owner", options->owner, "everything to this owner")
        .type_name("USER[:GROUP]");
    verb.add_option("--map-user", options->map_users, "from a user to another (may be repeated)")
        .type_name("OLD=NEW");
    verb.add_option("--map-group", options->map_groups, "from a group to another")
        .type_name("OLD=NEW");
    verb.add_flag("--dry-run", options->dry_run, "tell how much it would be, and write nothing");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "One source comes straight into DIR, several into DIR/SOURCE.\n"
        "Example: holdfast restore --latest epr --to /srv/restored\n"
        "Example: holdfast restore --latest epr --to /srv/restored --from Trumpton");
    verb.callback([&context, options] {
        if (options->snapshot.empty() && options->latest.empty()) {
            usage_error("SNAPSHOT or --latest SYSTEM");
        }
        context.verb = [&context, options] { return restore(context, *options); };
    });
}

}  // namespace

void add_vault_verbs(Command app, Context& context) {
    auto options = std::make_shared<SnapshotOptions>();
    Command take = app.add_subcommand("snapshot", "take a snapshot of a system now");
    take.add_option("SYSTEM", options->system, "the system's name").required();
    take.add_option("--path", options->path, "make SYSTEM on the spot: this folder")
        .type_name("DIR");
    take.add_flag("--read-all", options->read_all, "read unchanged files too");
    take.add_flag("--json", context.json, "report as JSON");
    take.footer(
        "Exit code 3: taken, but some paths could not be read; they are named.\n"
        "Example: holdfast snapshot epr");
    take.callback([&context, options] {
        context.verb = [&context, options] { return snapshot(context, *options); };
    });

    auto system = std::make_shared<std::string>();
    auto from = std::make_shared<std::string>();
    Command list = app.add_subcommand("snapshots", "list snapshots");
    list.add_option("SYSTEM", *system, "only of this system");
    list.add_option("--from", *from, "those that this partner holds").type_name("PARTNER");
    list.add_flag("--json", context.json, "report as JSON");
    list.footer("Example: holdfast snapshots epr");
    list.callback([&context, system, from] {
        context.verb = [&context, system, from] { return snapshots(context, *system, *from); };
    });

    add_restore(app, context);
}

}  // namespace holdfast::agent::cli
