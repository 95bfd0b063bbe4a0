// ls, cat, find, diff, stats: what is in snapshots, without restoring them.
#include "agent/browse/content.h"
#include "agent/browse/difference.h"
#include "agent/browse/find_versions.h"
#include "agent/browse/list_folder.h"
#include "agent/browse/snapshot_trees.h"
#include "agent/browse/statistics.h"
#include "agent/browse/tar.h"
#include "agent/cli/lines.h"
#include "agent/cli/report.h"
#include "agent/cli/vault_at.h"
#include "agent/cli/watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace holdfast::agent::cli {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

/// What a verb says it did; an error becomes a message and an exit code.
/// The snapshot that people call `name`.
Result<SnapshotTrees> open_trees(VaultAt& at, const std::string& name) {
    return SnapshotTrees::open(at.reader(), HF_TRY(named_snapshot(at.reader(), name)));
}

std::string type_text(vault::FileType type) {
    return {type == vault::FileType::Regular ? '-' : static_cast<char>(type)};
}

/// As ls -l writes it.
std::string mode_text(const vault::Entry& entry) {
    std::string text = "rwxrwxrwx";
    for (unsigned i = 0; i < 9; ++i) {
        if ((entry.mode >> (8 - i) & 1U) == 0) text[i] = '-';
    }
    constexpr std::array<std::pair<std::uint32_t, std::pair<std::size_t, char>>, 3> special{
        {{04000, {2, 's'}}, {02000, {5, 's'}}, {01000, {8, 't'}}}};
    for (const auto& [bit, at] : special) {
        if ((entry.mode & bit) == 0) continue;
        const bool runs = text[at.first] == 'x';
        text[at.first] = static_cast<char>(runs ? at.second : at.second - 'a' + 'A');
    }
    return type_text(entry.type) + text;
}

std::string owner_text(const std::string& name, std::uint32_t number) {
    return name.empty() ? std::to_string(number) : name;
}

std::string long_text(const vault::Entry& entry, const std::string& path) {
    std::string text =
        fmt::format("{} {:<8} {:<8} {:>12} {}  {}", mode_text(entry),
                    owner_text(entry.user, entry.uid), owner_text(entry.group, entry.gid),
                    entry.size, format_time(entry.mtime_ns / ns_per_ms), path);
    if (entry.type == vault::FileType::Symlink) text += " -> " + entry.link_target;
    return text;
}

Json to_json(const vault::Entry& entry, const std::string& path) {
    Json json{{"path", path},
              {"type", std::string(1, static_cast<char>(entry.type))},
              {"mode", entry.mode},
              {"uid", entry.uid},
              {"gid", entry.gid},
              {"user", entry.user},
              {"group", entry.group},
              {"size", entry.size},
              {"mtime_ns", entry.mtime_ns}};
    if (entry.type == vault::FileType::Symlink) json["target"] = entry.link_target;
    return json;
}

struct LsOptions {
    std::string snapshot;
    std::string path;
    std::string from;
    bool all = false;
    bool details = false;
};

Result<void> ls(const Context& context, const LsOptions& options) {
    VaultAt at = HF_TRY(open_vault_at(context.home(), options.from));
    const SnapshotTrees trees = HF_TRY(open_trees(at, options.snapshot));
    const SnapshotTrees::Place place = HF_TRY(trees.place(options.path));
    Lines lines(context.json);
    const auto show = [&](const SnapshotTrees::Source& source, const vault::Entry& entry) {
        const std::string path = path_in(source, entry);
        if (context.json) return lines.add(to_json(entry, path));
        return lines.add_line(options.details ? long_text(entry, path) : path);
    };
    for (const SnapshotTrees::Source& source : trees.sources()) {
        if (place.source != nullptr && place.source != &source) continue;
        if (place.source == nullptr) HF_TRY(show(source, HF_TRY(source.tree.find("")).entry));
        if (place.source == nullptr && !options.all) continue;
        HF_TRY(list_folder(source.tree, place.path, options.all,
                           [&](const vault::Item& item) { return show(source, item.entry); }));
    }
    return lines.close();
}

struct CatOptions {
    std::string snapshot;
    std::string path;
    std::string from;
};

Result<void> cat(const Context& context, const CatOptions& options) {
    VaultAt at = HF_TRY(open_vault_at(context.home(), options.from));
    const SnapshotTrees trees = HF_TRY(open_trees(at, options.snapshot));
    const SnapshotTrees::Place place = HF_TRY(trees.place(options.path));
    if (place.source == nullptr) return Error{Errc::Invalid, "PATH is no file"};
    Lines lines(false);
    return pour_file(place.source->tree, trees.chunks(), place.path,
                     [&](View bytes) { return lines.add_raw(bytes); });
}

/// Whether what a stream lacks is told, and how the verb ends.
int end_of_tar(const Result<RestoreFacts>& facts) {
    if (!facts) return fail(facts.error());
    for (const Warning& one : facts->damaged) warn(one.path + ": " + one.what);
    for (const Warning& one : facts->warnings) warn(one.path + ": " + one.what);
    if (facts->damaged_paths != 0) {
        return fail({Errc::Corrupt, fmt::format("{} paths are damaged, and zeros stand for what is "
                                                "lost (holdfast verify)",
                                                facts->damaged_paths)});
    }
    return facts->warnings.empty() ? Done : DoneWithWarnings;
}

Result<RestoreFacts> tar(const Context& context, const CatOptions& options) {
    if (::isatty(STDOUT_FILENO) == 1) {
        return Error{Errc::Invalid, "stdout is a terminal; send the archive to a file or a pipe"};
    }
    VaultAt at = HF_TRY(open_vault_at(context.home(), options.from));
    const auto record = HF_TRY(named_snapshot(at.reader(), options.snapshot));
    const SnapshotTrees trees = HF_TRY(SnapshotTrees::open(at.reader(), record));
    Lines lines(false);
    const auto take = [&](View bytes) { return lines.add_raw(bytes); };
    RestoreProgress progress;
    RestoreFacts facts = HF_TRY(watch(
        "tar " + record.system, progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes, options.path.empty() ? record.bytes : 0,
                      fmt::format("{} paths", progress.entries.load()));
        },
        [&] { return write_tar(trees, options.path, take, progress); }));
    HF_TRY(lines.close());
    return facts;
}

struct FindOptions {
    std::vector<std::string> patterns;
    std::string system;
    std::string snapshot;
    std::string from;
};

Json to_json(const Version& version) {
    Json json = to_json(version.entry, version.path);
    json["system"] = version.newest.system;
    json["snapshots"] = version.snapshots;
    for (const auto& [name, record] :
         {std::pair("newest", &version.newest), {"oldest", &version.oldest}}) {
        json[name] = {{"id", record->id.hex()}, {"time_ms", record->time}};
    }
    return json;
}

std::string to_text(const Version& version) {
    const std::string oldest = format_time(version.oldest.time);
    return fmt::format("{} {:>12} {}  {}  {}: {}", type_text(version.entry.type),
                       version.entry.size, format_time(version.entry.mtime_ns / ns_per_ms),
                       version.newest.id.brief(), version.newest.system, version.path) +
           (version.snapshots == 1
                ? ""
                : fmt::format("  (and {} older, since {})", version.snapshots - 1, oldest));
}

Result<int> find(const Context& context, const FindOptions& options) {
    VaultAt at = HF_TRY(open_vault_at(context.home(), options.from));
    vault::VaultReader& reader = at.reader();
    std::vector<vault::SnapshotRecord> records;
    if (!options.snapshot.empty()) {
        records.push_back(HF_TRY(named_snapshot(reader, options.snapshot)));
    } else {
        if (!options.system.empty()) HF_TRY(reader.latest(options.system));
        for (const vault::SnapshotRecord& record : reader.snapshots()) {
            if (options.system.empty() || record.system == options.system) {
                records.push_back(record);
            }
        }
    }
    const auto found =
        HF_TRY(find_versions(reader, records, HF_TRY(parse_globs(options.patterns))));
    Lines lines(context.json);
    for (const Version& version : found.versions) {
        HF_TRY(context.json ? lines.add(to_json(version)) : lines.add_line(to_text(version)));
    }
    if (found.versions.empty() && !context.json) {
        warn(fmt::format("nothing matches in {} snapshots",
                         records.size() - found.locked_snapshots));
    }
    HF_TRY(lines.close());
    if (found.locked_snapshots == 0) return Done;
    warn(
        fmt::format("not looked into, because their domain is locked (holdfast recovery unlock): "
                    "{} of {} snapshots",
                    found.locked_snapshots, records.size()));
    return DoneWithWarnings;
}

struct DiffOptions {
    std::string before;
    std::string after;
    std::string from;
    bool metadata = false;
};

struct ChangeCounts {
    std::uint64_t added = 0;
    std::uint64_t removed = 0;
    std::uint64_t changed = 0;
    std::uint64_t attributes = 0;

    void count(Change change) {
        switch (change) {
            case Change::Added:
                ++added;
                return;
            case Change::Removed:
                ++removed;
                return;
            case Change::Type:
            case Change::Content:
                ++changed;
                return;
            case Change::Attributes:
                ++attributes;
                return;
        }
    }
};

Result<void> diff(const Context& context, const DiffOptions& options) {
    VaultAt at = HF_TRY(open_vault_at(context.home(), options.from));
    const SnapshotTrees before = HF_TRY(open_trees(at, options.before));
    const SnapshotTrees after = HF_TRY(open_trees(at, options.after));
    Lines lines(context.json);
    ChangeCounts counts;
    const auto show = [&](Change change, const std::string& path, const vault::Entry* one,
                          const vault::Entry* other) -> Result<void> {
        counts.count(change);
        if (change == Change::Attributes && !options.metadata) return {};
        const std::string letter(1, static_cast<char>(change));
        if (!context.json) return lines.add_line(letter + " " + path);
        Json json{{"change", letter}, {"path", path}};
        if (one != nullptr) json["before"] = to_json(*one, path);
        if (other != nullptr) json["after"] = to_json(*other, path);
        return lines.add(json);
    };
    HF_TRY(compare_snapshots(before, after, show));
    if (!context.json) {
        HF_TRY(lines.add_line(
            fmt::format("{} added, {} removed, {} changed, {} with other attributes", counts.added,
                        counts.removed, counts.changed, counts.attributes)));
    }
    return lines.close();
}

Json to_json(const Amount& amount) {
    return {{"snapshots", amount.snapshots},
            {"logical_bytes", amount.logical_bytes},
            {"unique_bytes", amount.unique_bytes},
            {"stored_bytes", amount.stored_bytes},
            {"packs", amount.packs}};
}

Json to_json(const SystemStatistics& one) {
    Json json = to_json(one.amount);
    json["system"] = one.system;
    json["oldest_ms"] = one.oldest_ms;
    json["newest_ms"] = one.newest_ms;
    json["locked"] = one.locked;
    json["sources"] = Json::array();
    for (const SystemStatistics::Source& source : one.sources) {
        json["sources"].push_back({{"name", source.name},
                                   {"entries", source.entries},
                                   {"logical_bytes", source.logical_bytes}});
        if (!source.usage) continue;
        json["sources"].back()["unique_bytes"] = source.usage->unique_bytes;
        json["sources"].back()["stored_bytes"] = source.usage->stored_bytes;
        json["sources"].back()["chunks"] = source.usage->chunks;
    }
    return json;
}

std::string amount_line(const std::string& name, const Amount& amount) {
    return fmt::format("{:<16} {:>9}  {:>10}  {:>10}  {:>10}  {:>7}", name, amount.snapshots,
                       human_bytes(amount.logical_bytes), human_bytes(amount.unique_bytes),
                       human_bytes(amount.stored_bytes), amount.packs);
}

std::string to_text(const Statistics& found) {
    std::string text = fmt::format("{:<16} {:>9}  {:>10}  {:>10}  {:>10}  {:>7}", "SYSTEM",
                                   "SNAPSHOTS", "LOGICAL", "UNIQUE", "STORED", "PACKS");
    for (const SystemStatistics& one : found.systems) {
        text += "\n" + amount_line(one.system, one.amount);
        if (one.locked) text += "\n  its sources: not known while it is locked";
        for (const SystemStatistics::Source& source : one.sources) {
            text += fmt::format("\n  {} now: {} paths, {}", source.name, source.entries,
                                human_bytes(source.logical_bytes));
            if (!source.usage) continue;
            text += fmt::format("; in all snapshots {} unique, {} stored",
                                human_bytes(source.usage->unique_bytes),
                                human_bytes(source.usage->stored_bytes));
        }
    }
    return text + "\n" + amount_line("All", found.all);
}

struct StatsOptions {
    std::string system;
    std::string from;
    bool by_source = false;
};

Result<void> stats(const Context& context, const StatsOptions& options) {
    VaultAt at = HF_TRY(open_vault_at(context.home(), options.from));
    SourceUsageProgress progress;
    const Statistics found = HF_TRY(watch(
        "stats", progress.stop,
        [&](ProgressLine& line) {
            line.show(0, 0, fmt::format("{} snapshots read", progress.snapshots.load()));
        },
        [&] {
            return statistics(at.reader(), options.system, options.by_source ? &progress : nullptr);
        }));
    Json json{{"systems", Json::array()}, {"all", to_json(found.all)}};
    for (const SystemStatistics& one : found.systems) json["systems"].push_back(to_json(one));
    report(context, json, to_text(found));
    return {};
}

void add_from(Command& verb, std::string& from) {
    verb.add_option("--from", from, "in what this partner holds of our vault").type_name("PARTNER");
}

void add_ls(Command app, Context& context) {
    auto options = std::make_shared<LsOptions>();
    Command verb = app.add_subcommand("ls", "list a folder of a snapshot");
    verb.add_option("SNAPSHOT", options->snapshot, "an id's beginning, or a system: its newest")
        .required();
    verb.add_option("PATH", options->path, "a folder or file (default: the top)");
    verb.add_flag("--all", options->all, "the folders below it too");
    verb.add_flag("--long", options->details, "mode, owner, size and time too");
    add_from(verb, options->from);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Where a snapshot has several sources, paths begin with the source's name.\n"
        "Example: holdfast ls epr images/2026 --long");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end(ls(context, *options)); };
    });
}

void add_cat(Command app, Context& context) {
    auto options = std::make_shared<CatOptions>();
    Command verb = app.add_subcommand("cat", "write a file of a snapshot to stdout");
    verb.add_option("SNAPSHOT", options->snapshot, "an id's beginning, or a system: its newest")
        .required();
    verb.add_option("PATH", options->path, "the file").required();
    add_from(verb, options->from);
    verb.footer(
        "Every byte is checked before it is written; after an error the output is incomplete.\n"
        "Example: holdfast cat epr config/wards.toml > wards.toml");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end(cat(context, *options)); };
    });
}

void add_tar(Command app, Context& context) {
    auto options = std::make_shared<CatOptions>();
    Command verb =
        app.add_subcommand("tar", "write a snapshot, or a part, to stdout as a tar file");
    verb.add_option("SNAPSHOT", options->snapshot, "an id's beginning, or a system: its newest")
        .required();
    verb.add_option("PATH", options->path, "a folder or a file (default: all)");
    add_from(verb, options->from);
    verb.footer(
        "Owners, times, extended attributes, ACLs, links and holes are kept (pax format).\n"
        "Zeros stand for what is damaged; it is named, and the exit code is 1.\n"
        "Example: holdfast tar epr documents | ssh new-server tar -x --acls --xattrs -C /srv/epr");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end_of_tar(tar(context, *options)); };
    });
}

void add_find(Command app, Context& context) {
    auto options = std::make_shared<FindOptions>();
    Command verb = app.add_subcommand("find", "in which snapshots is a file, in which versions?");
    verb.add_option("GLOB", options->patterns, "a name, or a whole path if it has a '/'")
        .required();
    auto system = verb.add_option("--system", options->system, "only in this system's snapshots")
                      .type_name("SYSTEM");
    verb.add_option("--snapshot", options->snapshot, "only in this one")
        .type_name("SNAPSHOT")
        .excludes(system);
    add_from(verb, options->from);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "A version of a file is told once, with the newest snapshot that has it. Exit code 3:\n"
        "some snapshots are locked and were not looked into.\n"
        "Example: holdfast find '*.pdf' --system epr");
    verb.callback([&context, options] {
        context.verb = [&context, options] {
            const auto code = find(context, *options);
            return code ? *code : fail(code.error());
        };
    });
}

void add_diff(Command app, Context& context) {
    auto options = std::make_shared<DiffOptions>();
    Command verb = app.add_subcommand("diff", "what changed from one snapshot to another?");
    verb.add_option("BEFORE", options->before, "an id's beginning, or a system: its newest")
        .required();
    verb.add_option("AFTER", options->after, "likewise").required();
    verb.add_flag("--metadata", options->metadata, "show what differs in attributes alone");
    add_from(verb, options->from);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "+ added, - removed, M other content, T other type, U other attributes.\n"
        "Example: holdfast diff 3f2a91 epr");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end(diff(context, *options)); };
    });
}

void add_stats(Command app, Context& context) {
    auto options = std::make_shared<StatsOptions>();
    Command verb = app.add_subcommand("stats", "how much is kept, and what it takes");
    verb.add_option("SYSTEM", options->system, "only of this system");
    verb.add_flag("--by-source", options->by_source, "what each source takes too; reads all refs");
    add_from(verb, options->from);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Logical: all snapshots restored. Unique: their content, once. Stored: on disk.\n"
        "Example: holdfast stats epr --by-source");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end(stats(context, *options)); };
    });
}

}  // namespace

void add_browse_verbs(Command app, Context& context) {
    add_ls(app, context);
    add_tar(app, context);
    add_cat(app, context);
    add_find(app, context);
    add_diff(app, context);
    add_stats(app, context);
}

}  // namespace holdfast::agent::cli
