// prune, forget: which snapshots are kept, and the room that the others took.
#include "agent/attach/attach.h"
#include "agent/cli/after_snapshot.h"
#include "agent/cli/in_use.h"
#include "agent/cli/report.h"
#include "agent/cli/watch.h"
#include "agent/config/duration.h"
#include "agent/config/systems.h"
#include "agent/node/node.h"
#include "agent/prune/judge.h"
#include "agent/prune/keep_text.h"
#include "agent/prune/simulate.h"
#include "vault/prune/erase.h"
#include "vault/prune/repack.h"

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

/// What is to become of one system's snapshots.
struct SystemPlan {
    std::string system;
    std::optional<KeepSettings> rules;  // None: all stay.
    std::string why_none;
    bool unreadable = false;  // Its settings are there, and wrong.
    std::vector<Verdict> verdicts;

    std::size_t kept() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(verdicts, [](const Verdict& one) { return one.keep; }));
    }
    std::size_t doubted() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(verdicts, [](const Verdict& one) { return one.doubted; }));
    }
};

using InUse = std::map<vault::SnapshotId, std::string>;
using Records = std::vector<vault::SnapshotRecord>;

/// The rules of a system; settings that cannot be read keep everything.
Result<void> find_rules(const Home& home, const PruneOptions& options, SystemPlan& plan) {
    if (!options.keep.empty()) {
        plan.rules = HF_TRY(parse_keep(options.keep));
        return {};
    }
    const auto settings = load_system(home, plan.system);
    if (settings) {
        plan.rules = settings->keep;
        if (!plan.rules) plan.why_none = "no [keep] in its settings";
    } else {
        plan.unreadable = settings.error().code != Errc::NotFound;
        plan.why_none = plan.unreadable ? settings.error().message : "no settings here";
    }
    return {};
}

Result<SystemPlan> plan_system(const Home& home, const PruneOptions& options,
                               const std::string& system, const Records& records,
                               const InUse& in_use) {
    SystemPlan plan;
    plan.system = system;
    HF_TRY(find_rules(home, options, plan));
    if (plan.rules) {
        plan.verdicts = judge(records, *plan.rules, system_clock().wall_ms());
    } else {
        for (const auto& record : records) plan.verdicts.push_back({record, true, false, {}});
    }
    for (Verdict& one : plan.verdicts) {
        const auto use = in_use.find(one.record.id);
        if (use == in_use.end()) continue;
        one.keep = true;
        one.why.push_back(use->second);
    }
    return plan;
}

Result<std::vector<SystemPlan>> plan_all(const Home& home, const PruneOptions& options,
                                         const vault::VaultReader& reader) {
    const InUse in_use = HF_TRY(snapshots_in_use(home, reader));
    std::map<std::string, Records> by_system;
    for (const vault::SnapshotRecord& record : reader.snapshots()) {
        if (options.system.empty() || record.system == options.system) {
            by_system[record.system].push_back(record);
        }
    }
    if (!options.system.empty() && by_system.empty()) {
        return Error{Errc::NotFound, "no snapshot of \"" + options.system + "\""};
    }
    std::vector<SystemPlan> plans;
    plans.reserve(by_system.size());
    for (const auto& [system, records] : by_system) {
        plans.push_back(HF_TRY(plan_system(home, options, system, records, in_use)));
    }
    return plans;
}

Result<void> check_large(const std::vector<SystemPlan>& plans) {
    for (const SystemPlan& plan : plans) {
        if (!shortens_history(plan.verdicts)) continue;
        return Error{Errc::Conflict,
                     fmt::format("{}: its history would become shorter by more than a quarter "
                                 "({} of {} snapshots stay). See it with --dry-run; if it is "
                                 "meant, give --large. Nothing was forgotten",
                                 plan.system, plan.kept(), plan.verdicts.size())};
    }
    return {};
}

std::vector<vault::SnapshotId> forgotten_by(const std::vector<SystemPlan>& plans) {
    std::vector<vault::SnapshotId> out;
    for (const SystemPlan& plan : plans) {
        for (const Verdict& one : plan.verdicts) {
            if (!one.keep) out.push_back(one.record.id);
        }
    }
    return out;
}

Json to_json(const vault::PackAmount& amount) {
    return {{"packs", amount.packs}, {"bytes", amount.bytes}};
}

Json to_json(const Verdict& one) {
    return {{"id", one.record.id.hex()},
            {"time_ms", one.record.time},
            {"time", format_time(one.record.time)},
            {"keep", one.keep},
            {"why", one.why}};
}

Json to_json(const SystemPlan& plan) {
    Json out{{"system", plan.system},
             {"rules", plan.rules ? Json(keep_text(*plan.rules)) : Json(nullptr)},
             {"kept", plan.kept()},
             {"forgotten", plan.verdicts.size() - plan.kept()},
             {"doubted", plan.doubted()},
             {"snapshots", Json::array()}};
    for (const Verdict& one : plan.verdicts) out["snapshots"].push_back(to_json(one));
    return out;
}

Json to_json(const vault::EraseReport& erased) {
    return {{"needed", to_json(erased.needed)},
            {"erased", to_json(erased.erased)},
            {"waiting", to_json(erased.waiting)},
            {"lists", erased.lists},
            {"processes", erased.processes}};
}

Json to_json(const vault::RepackReport& moved) {
    return {{"old", {{"packs", moved.old_packs}, {"bytes", moved.old_bytes}}},
            {"new", {{"packs", moved.new_packs}, {"bytes", moved.new_bytes}}},
            {"snapshots", moved.snapshots},
            {"damaged", moved.damage.size()}};
}

std::string to_text(const vault::RepackReport& moved, bool dry_run) {
    if (moved.old_packs == 0) return {};
    return fmt::format("{} what is needed of {} packs, {}, into {} of {}\n",
                       dry_run ? "would move" : "moved", moved.old_packs,
                       human_bytes(moved.old_bytes), moved.new_packs, human_bytes(moved.new_bytes));
}

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string to_text(const SystemPlan& plan, bool dry_run) {
    if (!plan.rules) {
        return fmt::format("{}: {}, so all {} snapshots are kept\n", plan.system,
                           plan.unreadable ? "its settings are wrong" : plan.why_none,
                           plan.verdicts.size());
    }
    std::string text = fmt::format("{}: {} of {} snapshots {} ({})\n", plan.system, plan.kept(),
                                   plan.verdicts.size(), dry_run ? "would be kept" : "are kept",
                                   keep_text(*plan.rules));
    if (!dry_run) return text;
    for (const Verdict& one : plan.verdicts) {
        text += fmt::format("  {:<12}  {:<20}  {}\n", one.record.id.brief(),
                            format_time(one.record.time),
                            one.keep ? "keep: " + joined(one.why) : "forget");
    }
    return text;
}

std::string count_of(const vault::PackAmount& amount) {
    return fmt::format("{} packs, {}", amount.packs, human_bytes(amount.bytes));
}

std::string to_text(const vault::EraseReport& erased, bool dry_run) {
    std::string text = fmt::format("{} {}; {} are needed", dry_run ? "would erase" : "erased",
                                   count_of(erased.erased), count_of(erased.needed));
    if (erased.waiting.packs != 0) {
        text += fmt::format(
            "\n{} more wait for what is at work on the vault now ({} processes); the next prune "
            "erases them",
            count_of(erased.waiting), erased.processes);
    }
    return text;
}

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
    const auto plans = HF_TRY(plan_all(home, options, node.vault->reader()));
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
    if (moved && moved->snapshots != 0) replicate_soon(home);
    vault::EraseReport erased = HF_TRY(erase(home, *node.vault, options, forgotten));
    if (options.dry_run && moved) add_moved(*moved, erased);
    Json json{{"dry_run", options.dry_run}, {"systems", Json::array()}};
    json["repacked"] = moved ? to_json(*moved) : Json(nullptr);
    json.update(to_json(erased));
    std::string text;
    for (const SystemPlan& plan : plans) {
        json["systems"].push_back(to_json(plan));
        text += to_text(plan, options.dry_run);
    }
    if (moved) text += to_text(*moved, options.dry_run);
    const bool warned = show_doubts(plans, moved);
    report(context, json, text + to_text(erased, options.dry_run));
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
Result<vault::SnapshotRecord> may_forget(const vault::VaultReader& reader, const InUse& in_use,
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
    const InUse in_use = HF_TRY(snapshots_in_use(home, reader));
    Records records;
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

int end(const Result<int>& code) {
    return code ? *code : fail(code.error());
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
        context.verb = [&context, ids, newest] {
            const auto done = forget(context, *ids, *newest);
            return done ? int{Done} : fail(done.error());
        };
    });
}

}  // namespace

void add_prune_verbs(Command app, Context& context) {
    add_prune(app, context);
    add_forget(app, context);
}

}  // namespace holdfast::agent::cli
