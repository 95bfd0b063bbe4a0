// snapshot, snapshots: the vault's daily work.
#include "agent/backup/backup.h"
#include "agent/cli/after_snapshot.h"
#include "agent/cli/context.h"
#include "agent/cli/report.h"
#include "agent/cli/vault_at.h"
#include "agent/cli/watch.h"
#include "agent/config/systems.h"
#include "agent/failover/older_term.h"
#include "agent/node/node.h"
#include "agent/stream/tail_base.h"
#include "vault/base/worker_pool.h"

#include <fmt/format.h>
#include "vault/base/json.h"

#include <filesystem>
#include <memory>

namespace holdfast::agent::cli {
namespace {

Json to_json(const vault::SnapshotRecord& record) {
    Json out{{"id", record.id.hex()},
             {"system", record.system},
             {"time", format_time(record.time)},
             {"time_ms", record.time},
             {"entries", record.entries},
             {"bytes", record.bytes},
             {"new_bytes", record.new_bytes},
             {"stored_bytes", record.stored_bytes},
             {"warnings", record.warnings}};
    if (record.tail_of) out["tail_of"] = record.tail_of->hex();
    return out;
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

Json journals_json(const std::vector<JournalUse>& journals) {
    Json out = Json::array();
    for (const JournalUse& one : journals) {
        out.push_back({{"source", one.source},
                       {"used", one.whole.empty()},
                       {"changes", one.changes},
                       {"whole", one.whole},
                       {"proven", one.proven},
                       {"missed", one.missed}});
    }
    return out;
}

void tell_journals(const std::vector<JournalUse>& journals) {
    for (const JournalUse& one : journals) {
        if (one.whole.empty()) {
            fmt::print("{}: {} change{} told by the journal\n", one.source, one.changes,
                       one.changes == 1 ? "" : "s");
        } else if (one.proven && one.missed == 0) {
            fmt::print("{}: read whole; the journal told of every change\n", one.source);
        } else {
            fmt::print("{}: read whole: {}\n", one.source, one.whole);
        }
    }
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
            return take_snapshot(
                *node->vault, *system, system_clock(),
                {default_workers(), options.read_all, &progress, home.state, home.run});
        });
    if (!taken) return fail(taken.error());
    if (auto done = remember_base(home.state, *system, *taken); !done) return fail(done.error());
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
        out["journals"] = journals_json(taken->journals);
        fmt::print("{}\n", json_text(out));
    } else {
        fmt::print("{} of {}: {} paths, {}; {} new, stored as {}; {}\n", record.id.brief(),
                   record.system, record.entries, human_bytes(record.bytes),
                   human_bytes(record.new_bytes), human_bytes(record.stored_bytes),
                   human_duration(took_ms));
        tell_journals(taken->journals);
        warn_of(taken->warnings);
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
        fmt::print("{:<12}  {:<16} {:<20}  {:>10}  {:>10}  {}{}{}\n", record.id.brief(),
                   record.system, format_time(record.time), human_bytes(record.bytes),
                   human_bytes(record.stored_bytes), human_age(now - record.time),
                   record.tail_of ? "  " + record.tail_of->brief() + " and its log" : "",
                   record.warnings == 0 ? "" : fmt::format("  {} warnings", record.warnings));
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return Done;
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
}

}  // namespace holdfast::agent::cli
