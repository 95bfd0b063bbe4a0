// restore: a snapshot's content back into a folder, or to where it came from.
#include "agent/cli/context.h"
#include "agent/cli/report.h"
#include "agent/cli/restore_hook.h"
#include "agent/cli/until.h"
#include "agent/cli/vault_at.h"
#include "agent/cli/watch.h"
#include "agent/restore/restore_snapshot.h"
#include "agent/restore/survey.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct RestoreOptions {
    std::string snapshot;
    std::string latest;
    std::string to;
    std::string from;
    std::vector<std::string> includes;
    std::string overwrite;
    std::string until;
    bool in_place = false;
    bool resume = false;
    bool dry_run = false;
    bool hook = false;
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

Result<RestoreSettings> restore_settings(const RestoreOptions& options) {
    RestoreSettings settings;
    settings.folder = options.to;
    settings.includes = options.includes;
    settings.owners = HF_TRY(owner_rules(options));
    settings.in_place = options.in_place;
    if (options.in_place) settings.overwrite = Overwrite::IfChanged;
    settings.resume = options.resume;
    if (!options.until.empty()) {
        settings.until_ms = HF_TRY(parse_moment(options.until).within("--until"));
    }
    if (!options.overwrite.empty()) {
        settings.overwrite = HF_TRY(parse_overwrite(options.overwrite).within("--overwrite"));
    }
    return settings;
}

std::string target_of(const RestoreOptions& options) {
    return options.in_place ? "where it came from" : options.to;
}

Json to_json(const std::vector<Warning>& notices) {
    Json out = Json::array();
    for (const Warning& one : notices) out.push_back({{"path", one.path}, {"what", one.what}});
    return out;
}

/// What the restore would do, and whether there is room for it.
Result<int> survey(const Context& context, const RestoreOptions& options,
                   vault::VaultReader& reader, const vault::SnapshotRecord& record,
                   RestoreSettings& settings) {
    const RestoreSurvey found = HF_TRY(watch(
        "survey " + record.system, settings.progress->stop,
        [&](ProgressLine& line) {
            line.show(settings.progress->bytes, record.bytes,
                      fmt::format("{} paths", settings.progress->entries.load()));
        },
        [&] { return survey_restore(reader, record, settings); }));
    std::string text = fmt::format(
        "{} of {} ({}): {} paths, {} ({} without holes) would come to {}, where {} are free",
        record.id.brief(), record.system, format_time(record.time), found.entries,
        human_bytes(found.bytes), human_bytes(found.data_bytes), fmt::join(found.places, " and "),
        human_bytes(found.free_bytes));
    if (found.kept + found.replaced != 0) {
        text += fmt::format("\n{} paths are there and would stay, {} would be replaced", found.kept,
                            found.replaced);
    }
    report(context,
           Json{{"dry_run", true},
                {"snapshot", record.id.hex()},
                {"system", record.system},
                {"time_ms", record.time},
                {"to", options.to},
                {"places", found.places},
                {"entries", found.entries},
                {"files", found.files},
                {"folders", found.folders},
                {"bytes", found.bytes},
                {"data_bytes", found.data_bytes},
                {"free_bytes", found.free_bytes},
                {"kept", found.kept},
                {"replaced", found.replaced}},
           text);
    if (found.data_bytes <= found.free_bytes) return Done;
    return Error{Errc::Full,
                 fmt::format("{} needs {}, but has {} free", target_of(options),
                             human_bytes(found.data_bytes), human_bytes(found.free_bytes))};
}

Result<vault::SnapshotRecord> wanted(vault::VaultReader& reader, const RestoreOptions& options,
                                     const RestoreSettings& settings) {
    if (options.latest.empty()) return reader.find(options.snapshot);
    if (!settings.until_ms) return reader.latest(options.latest);
    return snapshot_until(reader, options.latest, *settings.until_ms);
}

Result<int> restore(const Context& context, const RestoreOptions& options) {
    RestoreProgress progress;
    RestoreSettings settings = HF_TRY(restore_settings(options));
    settings.progress = &progress;
    auto at = HF_TRY(open_vault_at(context.home(), options.from));
    vault::VaultReader& reader = at.reader();
    const vault::SnapshotRecord record = HF_TRY(wanted(reader, options, settings));
    if (options.dry_run) return survey(context, options, reader, record, settings);
    auto done = watch(
        "restore " + record.system, progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes, record.bytes,
                      fmt::format("{} paths", progress.entries.load()));
        },
        [&] { return restore_snapshot(reader, record, settings); });
    if (!done && !options.from.empty()) return std::move(done).error().within(options.from);
    const RestoreFacts facts = HF_TRY(std::move(done));
    std::string text = fmt::format("{} of {} ({}): {} paths, {} restored to {}", record.id.brief(),
                                   record.system, format_time(record.time), facts.entries,
                                   human_bytes(facts.bytes), target_of(options));
    if (facts.kept != 0) text += fmt::format("; {} more were there and stay", facts.kept);
    report(context,
           Json{{"snapshot", record.id.hex()},
                {"system", record.system},
                {"time_ms", record.time},
                {"to", options.to},
                {"in_place", options.in_place},
                {"entries", facts.entries},
                {"bytes", facts.bytes},
                {"kept", facts.kept},
                {"damaged", to_json(facts.damaged)},
                {"warnings", to_json(facts.warnings)}},
           text);
    warn_of(facts.damaged);
    warn_of(facts.warnings);
    if (facts.damaged_paths != 0 && settings.overwrite != Overwrite::Refuse) {
        return Error{Errc::Corrupt,
                     fmt::format("{} paths are not as the snapshot has them: damaged, or something "
                                 "is in their place; the rest is restored",
                                 facts.damaged_paths)};
    }
    if (facts.damaged_paths != 0) {
        return Error{
            Errc::Corrupt,
            fmt::format("{} paths are damaged {}; the rest is restored", facts.damaged_paths,
                        options.from.empty() ? "in the vault (holdfast verify names the packs)"
                                             : "at " + options.from)};
    }
    if (options.hook) {
        const vault::Manifest manifest = HF_TRY(reader.manifest(record));
        const auto proved = HF_TRY(run_restore_hooks(context.home(), record, manifest, options.to));
        if (!context.json) fmt::print("proved by restore_hook: {}\n", fmt::join(proved, ", "));
    }
    return facts.warnings.empty() ? Done : DoneWithWarnings;
}

/// What is wrong with the words of the command line; empty: nothing.
std::string contradiction(const RestoreOptions& options) {
    if (options.snapshot.empty() && options.latest.empty()) return "SNAPSHOT or --latest SYSTEM";
    if (options.to.empty() != options.in_place) return "--to DIR or --in-place";
    if (!options.until.empty() && (options.in_place || options.latest.empty())) {
        return "--until with --latest and --to";
    }
    if (options.resume && (options.in_place || !options.overwrite.empty())) {
        return "--resume without --in-place and --overwrite";
    }
    if (options.hook && (options.in_place || options.dry_run || !options.includes.empty())) {
        return "--hook without --in-place, --dry-run and --include";
    }
    return {};
}

}  // namespace

void add_restore_verb(Command app, Context& context) {
    auto options = std::make_shared<RestoreOptions>();
    Command verb = app.add_subcommand("restore", "write a snapshot's content into a folder");
    auto id = verb.add_option("SNAPSHOT", options->snapshot, "the snapshot's id, or its beginning");
    auto latest = verb.add_option("--latest", options->latest, "the newest of this system")
                      .type_name("SYSTEM");
    id.excludes(latest);
    verb.add_option("--to", options->to, "a folder: new, empty, or see --overwrite and --resume")
        .type_name("DIR");
    verb.add_option("--until", options->until, "a streamed database as it was at this moment (UTC)")
        .type_name("TIME");
    verb.add_flag("--in-place", options->in_place, "to where each source came from");
    verb.add_option("--overwrite", options->overwrite,
                    "what becomes of what is there: never, if-older, if-changed, always")
        .type_name("WHEN");
    verb.add_flag("--resume", options->resume, "go on with a restore that did not end");
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
    verb.add_flag("--hook", options->hook, "then run this node's restore_hook of each source");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "One source comes straight into DIR, several into DIR/SOURCE. Where something is already,\n"
        "a file is whole before it takes a name; in place, --overwrite is if-changed unless told.\n"
        "Example: holdfast restore --latest epr --to /srv/restored\n"
        "Example: holdfast restore --latest epr --in-place --include 'letters/**'\n"
        "Example: holdfast restore --latest epr --to /srv/restored --from Trumpton\n"
        "Example: holdfast restore --latest epr --to /srv/restored --until 2026-11-28T02:50:00Z");
    verb.callback([&context, options] {
        const std::string wrong = contradiction(*options);
        if (!wrong.empty()) usage_error(wrong);
        context.verb = [&context, options] { return end(restore(context, *options)); };
    });
}

}  // namespace holdfast::agent::cli
