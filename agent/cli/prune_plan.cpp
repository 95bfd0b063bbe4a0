#include "agent/cli/prune_plan.h"

#include "agent/cli/in_use.h"
#include "agent/config/systems.h"
#include "agent/prune/keep_text.h"
#include "vault/base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace holdfast::agent::cli {
namespace {

using InUse = std::map<vault::SnapshotId, std::string>;
using Records = std::vector<vault::SnapshotRecord>;

/// The rules of a system; settings that cannot be read keep everything.
Result<void> find_rules(const Home& home, const std::vector<std::string>& keep, SystemPlan& plan) {
    if (!keep.empty()) {
        plan.rules = HF_TRY(parse_keep(keep));
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

Result<SystemPlan> plan_system(const Home& home, const std::vector<std::string>& keep,
                               const std::string& system, const Records& records,
                               const InUse& in_use) {
    SystemPlan plan;
    plan.system = system;
    HF_TRY(find_rules(home, keep, plan));
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

}  // namespace

std::size_t SystemPlan::kept() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(verdicts, [](const Verdict& one) { return one.keep; }));
}

std::size_t SystemPlan::doubted() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(verdicts, [](const Verdict& one) { return one.doubted; }));
}

Result<std::vector<SystemPlan>> plan_prune(const Home& home, const std::string& system,
                                           const std::vector<std::string>& keep,
                                           const vault::VaultReader& reader) {
    const InUse in_use = HF_TRY(snapshots_in_use(home, reader));
    std::map<std::string, Records> by_system;
    for (const vault::SnapshotRecord& record : reader.snapshots()) {
        if (system.empty() || record.system == system) {
            by_system[record.system].push_back(record);
        }
    }
    if (!system.empty() && by_system.empty()) {
        return Error{Errc::NotFound, "no snapshot of \"" + system + "\""};
    }
    std::vector<SystemPlan> plans;
    plans.reserve(by_system.size());
    for (const auto& [name, records] : by_system) {
        plans.push_back(HF_TRY(plan_system(home, keep, name, records, in_use)));
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

}  // namespace holdfast::agent::cli
