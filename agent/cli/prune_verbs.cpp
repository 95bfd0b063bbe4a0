// prune, forget: which snapshots are kept, and the room that the others took.
#include "agent/attach/attach.h"
#include "agent/cli/after_snapshot.h"
#include "agent/cli/in_use.h"
#include "agent/cli/old_seals.h"
#include "agent/cli/prune_plan.h"
#include "agent/cli/prune_view.h"
#include "agent/cli/report.h"
#include "agent/cli/watch.h"
#include "agent/config/duration.h"
#include "agent/config/systems.h"
#include "agent/node/node.h"
#include "agent/prune/keep_text.h"
#include "agent/prune/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace holdfast::agent::cli {
namespace {

constexpr std::int64_t simulated_every_ms_min = 60'000;

struct PruneOptions {
    std::string system;
    std::vector<std::string> keep;
    std::string every = "1h";
    bool dry_run = false;
    bool simulate = false;
    bool large = false;
    bool despite_damage = false;
    bool no_repack = false;
    unsigned unused_percent = 10;
    std::uint64_t limit = 0;
};

Result<vault::RepackReport> repack(const Home& home, vault::Vault& vault,
                                   const PruneOptions& options,
                                   const std::vector<vault::SnapshotId>& as_if_forgotten) {
    vault::RepackProgress progress;
    vault::RepackSettings settings;
    settings.unused_percent_max = options.unused_percent;
    settings.bytes_per_second_max = options.limit;
    settings.in_use = [&]() -> Result<std::set<vault::SnapshotId>> {
        std::set<vault::SnapshotId> ids;
        for (const auto& [id, use] : HF_TRY(snapshots_in_use(home, vault.reader()))) ids.insert(id);
        return ids;
    };
    settings.as_if_forgotten = {as_if_forgotten.begin(), as_if_forgotten.end()};
    settings.dry_run = options.dry_run;
    settings.progress = &progress;
    return watch(
        "repack", progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes_done, progress.bytes_all,
                      fmt::format("{} snapshots read", progress.snapshots_read.load()));
        },
        [&] { return vault::repack(vault, settings); });
}

Result<vault::EraseReport> erase(const Home& home, vault::Vault& vault, const PruneOptions& options,
                                 std::vector<vault::SnapshotId> as_if_forgotten) {
    vault::EraseProgress progress;
    vault::EraseSettings settings;
    settings.attached = [&] { return attached_snapshots(home.mounts); };
    settings.as_if_forgotten = {as_if_forgotten.begin(), as_if_forgotten.end()};
    settings.dry_run = options.dry_run;
    settings.despite_damage = options.despite_damage;
    settings.progress = &progress;
    return watch(
        "prune", progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes_done, progress.bytes_all,
                      fmt::format("{} lists read", progress.lists_read.load()));
        },
        [&] { return erase_unneeded(vault, settings); });
}

Result<vault::CarryReport> carry_over(const Home& home, vault::Vault& vault,
                                      const PruneOptions& options) {
    vault::CarrySettings settings;
    settings.attached = [&] { return attached_snapshots(home.mounts); };
    settings.dry_run = options.dry_run;
    return vault::carry_ledger_over(vault, settings).within("the ledger");
}

/// What a repack that was not done would have made of it.
void add_moved(const vault::RepackReport& moved, vault::EraseReport& erased) {
    erased.erased.packs += moved.old_packs;
    erased.erased.bytes += moved.old_bytes;
    erased.needed.packs = erased.needed.packs + moved.new_packs - moved.old_packs;
    erased.needed.bytes = erased.needed.bytes + moved.new_bytes - moved.old_bytes;
}

/// True if there is something to warn of.
bool show_doubts(const std::vector<SystemPlan>& plans,
                 const std::optional<vault::RepackReport>& moved) {
    bool warned = false;
    for (const SystemPlan& plan : plans) {
        if (plan.unreadable) warn(plan.system + ": " + plan.why_none);
        if (plan.doubted() != 0) {
            warn(
                fmt::format("{}: {} snapshots claim a time that the ledger's order or the clock "
                            "does not bear out; they are kept (holdfast forget gives up single "
                            "ones)",
                            plan.system, plan.doubted()));
        }
        warned = warned || plan.unreadable || plan.doubted() != 0;
    }
    if (!moved) return warned;
    for (const vault::Damage& damage : moved->damage) {
        warn("not repacked: " + damage.object + ": " + damage.what + " (holdfast verify)");
        warned = true;
    }
    return warned;
}

/// A full disk may have no room for the entry until what nothing needs already is gone.
Result<void> forget_on_any_disk(const Home& home, vault::Vault& vault, const PruneOptions& options,
                                const std::vector<vault::SnapshotId>& snapshots) {
    auto done = vault.forget(snapshots);
    if (done || done.error().code != Errc::Full) return done;
    HF_TRY(erase(home, vault, options, {}));
    return vault.forget(snapshots);
}

Result<int> prune(const Context& context, const PruneOptions& options) {
    const Home home = context.home();
    const Node node = HF_TRY(open_node(home));
    const auto plans = HF_TRY(plan_prune(home, options.system, options.keep, node.vault->reader()));
    if (!options.dry_run && !options.large) HF_TRY(check_large(plans));
    const std::vector<vault::SnapshotId> forgotten = forgotten_by(plans);
    if (!options.dry_run && !forgotten.empty()) {
        HF_TRY(forget_on_any_disk(home, *node.vault, options, forgotten));
        replicate_soon(home);
    }
    std::optional<vault::RepackReport> moved;
    std::optional<Error> not_moved;  // A full disk needs the erasing all the more.
    if (!options.no_repack) {
        auto repacked = repack(home, *node.vault, options, forgotten);
        if (repacked) moved = std::move(*repacked);
        if (!repacked) not_moved = repacked.error();
    }
    vault::EraseReport erased = HF_TRY(erase(home, *node.vault, options, forgotten));
    if (options.dry_run && moved) add_moved(*moved, erased);
    const vault::CarryReport ledger = HF_TRY(carry_over(home, *node.vault, options));
    if (!options.dry_run) HF_TRY(remove_old_seals(home, *node.vault));
    if ((moved && moved->snapshots != 0) || ledger.carried) replicate_soon(home);
    Json json{{"dry_run", options.dry_run}, {"systems", Json::array()}};
    json["repacked"] = moved ? to_json(*moved) : Json(nullptr);
    json.update(to_json(erased));
    json["ledger"] = to_json(ledger);
    std::string text;
    for (const SystemPlan& plan : plans) {
        json["systems"].push_back(to_json(plan));
        text += to_text(plan, options.dry_run);
    }
    if (moved) text += to_text(*moved, options.dry_run);
    const bool warned = show_doubts(plans, moved);
    report(context, json,
           text + to_text(erased, options.dry_run) + to_text(ledger, options.dry_run));
    if (not_moved) return std::move(*not_moved).within("repack");
    return warned ? DoneWithWarnings : Done;
}

/// Newest and oldest of those that each rule keeps.
std::string to_text(const Simulation& simulated, const KeepSettings& rules) {
    std::string text = fmt::format(
        "{} snapshots in a year, a prune each day ({}): {} are kept at the end, at most {} were "
        "there at once\n{:<8}  {:>8}  {:<20}  {:<20}",
        simulated.taken, keep_text(rules), simulated.kept.size(), simulated.most, "RULE", "KEEPS",
        "NEWEST (UTC)", "OLDEST");
    struct Kept {
        std::size_t count = 0;
        std::int64_t oldest = 0;
        std::int64_t newest = 0;
    };
    std::map<std::string, Kept> by_rule;
    for (const Verdict& one : simulated.kept) {
        for (const std::string& rule : one.why) {
            Kept& kept = by_rule[rule];
            if (kept.count++ == 0) kept.oldest = one.record.time;
            kept.newest = one.record.time;
        }
    }
    for (const char* rule : {"last", "within", "hourly", "daily", "weekly", "monthly", "yearly"}) {
        const auto found = by_rule.find(rule);
        if (found == by_rule.end()) continue;
        text += fmt::format("\n{:<8}  {:>8}  {:<20}  {:<20}", rule, found->second.count,
                            format_time(found->second.newest), format_time(found->second.oldest));
    }
    return text;
}

Result<KeepSettings> rules_to_simulate(const Home& home, const PruneOptions& options) {
    if (!options.keep.empty()) return parse_keep(options.keep);
    if (options.system.empty()) {
        return Error{Errc::Invalid,
                     "--simulate needs a SYSTEM whose settings have [keep], or "
                     "--keep"};
    }
    const SystemSettings settings = HF_TRY(load_system(home, options.system));
    if (settings.keep) return *settings.keep;
    return Error{Errc::Invalid, options.system +
                                    " has no [keep] in its settings; try rules with "
                                    "--keep daily=31"};
}

Result<int> simulate(const Context& context, const PruneOptions& options) {
    const KeepSettings rules = HF_TRY(rules_to_simulate(context.home(), options));
    const auto every_ms = config::parse_duration(options.every);
    if (!every_ms || *every_ms < simulated_every_ms_min) {
        return Error{Errc::Invalid, "--every \"" + options.every +
                                        "\": expected a duration of a minute or more, such as 5m"};
    }
    const Simulation simulated = simulate_year(rules, *every_ms, system_clock().wall_ms());
    Json json{{"rules", keep_text(rules)},
              {"every_ms", *every_ms},
              {"taken", simulated.taken},
              {"most", simulated.most},
              {"kept", Json::array()}};
    for (const Verdict& one : simulated.kept) {
        json["kept"].push_back({{"time_ms", one.record.time},
                                {"time", format_time(one.record.time)},
                                {"why", one.why}});
    }
    report(context, json, to_text(simulated, rules));
    return Done;
}

/// Errors: NotFound, Invalid, Conflict (in use, or a system's newest).
Result<vault::SnapshotRecord> may_forget(const vault::VaultReader& reader,
                                         const std::map<vault::SnapshotId, std::string>& in_use,
                                         const std::string& id, bool newest) {
    vault::SnapshotRecord record = HF_TRY(reader.find(id));
    const auto use = in_use.find(record.id);
    if (use != in_use.end()) {
        return Error{Errc::Conflict, record.id.brief() + " is in use: " + use->second};
    }
    if (newest || HF_TRY(reader.latest(record.system)).id != record.id) return record;
    return Error{Errc::Conflict, record.id.brief() + " is the newest of " + record.system +
                                     "; if it is meant, give --newest"};
}

Result<void> forget(const Context& context, const std::vector<std::string>& ids, bool newest) {
    const Home home = context.home();
    const Node node = HF_TRY(open_node(home));
    const vault::VaultReader& reader = node.vault->reader();
    const auto in_use = HF_TRY(snapshots_in_use(home, reader));
    std::vector<vault::SnapshotRecord> records;
    for (const std::string& id : ids) {
        records.push_back(HF_TRY(may_forget(reader, in_use, id, newest)));
    }
    std::vector<vault::SnapshotId> forgotten;
    Json json{{"forgotten", Json::array()}};
    std::string text;
    for (const vault::SnapshotRecord& record : records) {
        if (std::ranges::find(forgotten, record.id) != forgotten.end()) continue;
        forgotten.push_back(record.id);
        json["forgotten"].push_back(record.id.hex());
        text += fmt::format("forgotten: {} of {} ({})\n", record.id.brief(), record.system,
                            format_time(record.time));
    }
    HF_TRY(node.vault->forget(forgotten));
    replicate_soon(home);
    report(context, json, text + "holdfast prune erases what only they needed");
    return {};
}

void add_prune(Command app, Context& context) {
    auto options = std::make_shared<PruneOptions>();
    Command verb = app.add_subcommand("prune", "forget snapshots by their rules, and make room");
    verb.add_option("SYSTEM", options->system, "only snapshots of this system");
    verb.add_option("--keep", options->keep, "instead of [keep] in the settings (may be repeated)")
        .type_name("RULE=N");
    verb.add_flag("--dry-run", options->dry_run, "tell what would be done, and change nothing");
    verb.add_flag("--large", options->large, "also if a history becomes much shorter");
    verb.add_flag("--despite-damage", options->despite_damage,
                  "also if entries of the ledger are lost");
    verb.add_flag("--no-repack", options->no_repack, "erase whole packs only");
    verb.add_option("--unused", options->unused_percent,
                    "repack when more than this is unused (default 10)")
        .type_name("PERCENT")
        .between(0, 100);
    verb.add_option("--limit", options->limit, "read and write at most so much a second")
        .type_name("BYTES")
        .as_size();
    verb.add_flag("--simulate", options->simulate, "what the rules come to in a year");
    verb.add_option("--every", options->every, "how often snapshots are taken (default: 1h)")
        .type_name("DURATION")
        .needs("--simulate");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Rules: last, hourly, daily, weekly, monthly, yearly with a number; within with a\n"
        "duration. A snapshot stays if one rule keeps it. Snapshots may be taken meanwhile.\n"
        "Example: holdfast prune epr --dry-run\n"
        "Example: holdfast prune --simulate --every 5m --keep hourly=48 --keep daily=31");
    verb.callback([&context, options] {
        context.verb = [&context, options] {
            return end(options->simulate ? simulate(context, *options) : prune(context, *options));
        };
    });
}

void add_forget(Command app, Context& context) {
    auto ids = std::make_shared<std::vector<std::string>>();
    auto newest = std::make_shared<bool>(false);
    Command verb = app.add_subcommand("forget", "give up single snapshots");
    verb.add_option("SNAPSHOT", *ids, "ids, or their beginnings").required();
    verb.add_flag("--newest", *newest, "also the newest of a system");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "They are gone from all lists at once; prune makes the room. All, or none.\n"
        "Example: holdfast forget 3f2a91c0");
    verb.callback([&context, ids, newest] {
        context.verb = [&context, ids, newest] { return end(forget(context, *ids, *newest)); };
    });
}

}  // namespace

void add_prune_verbs(Command app, Context& context) {
    add_prune(app, context);
    add_forget(app, context);
}

}  // namespace holdfast::agent::cli
