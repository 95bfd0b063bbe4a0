// check, choose, catch-up: what is run, by which plan, from which snapshot.
#include "agent/attach/attach.h"
#include "agent/config/systems.h"
#include "agent/failover/plan.h"
#include "agent/failover/released.h"
#include "agent/failover/supply.h"
#include "agent/failover/wording.h"
#include "agent/host/user.h"
#include "vault/base/file.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

namespace holdfast::agent {
namespace {

Result<std::unique_ptr<Supply>> supply_of(StepContext& context) {
    return Supply::open(context.home, context.clock, context.run, context.store,
                        attach_index(context.folder()));
}

/// A partner's plan travels in the snapshot.
Result<std::string> plan_text(StepContext& context) {
    const NodeSettings node = HF_TRY(load_node(context.home));
    if (context.run.owner == node.trust) {
        return HF_TRY(load_system(context.home, context.run.system)).text;
    }
    const auto supply = HF_TRY(supply_of(context));
    const auto record = HF_TRY(supply->reader().latest(context.run.system));
    return HF_TRY(supply->reader().manifest(record)).plan;
}

Result<void> check_machine(const StepContext& context) {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) {
        return Error{Errc::Denied, "/dev/fuse cannot be used: nothing can be mounted here"};
    }
    return make_folders(context.folder());
}

void take_objectives(const SystemSettings& system, RunFacts& facts) {
    facts.title = system.title;
    facts.supplier = system.supplier;
    if (!system.objectives) return;
    facts.data_age_ms_max = system.objectives->data_age_ms;
    facts.time_to_run_ms_max = system.objectives->time_to_run_ms;
}

/// In earnest, all of it may come to be written anew; no disk may fill at hour three.
Result<void> check_space(const StepContext& context, std::uint64_t bytes) {
    struct statvfs space {};
    if (::statvfs(context.folder().c_str(), &space) != 0) {
        return io_error(errno, "look at the space of " + context.folder());
    }
    const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    const bool drill = context.run.kind == RunKind::Drill;
    const std::uint64_t wanted = drill ? std::min(bytes, 1_GiB) : bytes;
    if (free_bytes >= wanted) return {};
    return Error{Errc::Full, size_text(free_bytes) + " are free at " + context.home.mounts + ", " +
                                 size_text(wanted) + " may be needed"};
}

std::string age_sentence(const Run& run, const vault::SnapshotRecord& record) {
    const std::int64_t age = run.ordered_ms - record.time;
    std::string text =
        "snapshot " + record.id.brief() + ", " + span_text(age) + " old when this was ordered";
    const std::int64_t objective = run.facts.data_age_ms_max;
    if (objective == 0) return text;
    return text +
           (age <= objective ? ", within the objective of " : ", older than the objective of ") +
           span_text(objective);
}

}  // namespace

Result<StepResult> check_plan(StepContext& context) {
    HF_TRY(check_machine(context));
    HF_TRY(note_release(context.home, context.store, context.run));
    RunFacts& facts = context.run.facts;
    facts.plan = HF_TRY(plan_text(context));
    const Plan plan = HF_TRY(plan_of(context));
    HF_TRY(find_user(plan.runtime.user));
    if (plan.system.fence && plan.system.fence->kind == FenceKind::Enforced) {
        return Error{Errc::Invalid,
                     "an enforced fence is not possible from this node; change the "
                     "plan's [fence] to attested"};
    }
    facts.plan_hash = HF_TRY(plan_hash(context.home, facts.plan, plan.runtime.name));
    take_objectives(plan.system, facts);
    for (const CheckSettings& check : plan.system.checks) {
        const auto* command = std::get_if<CommandCheckSettings>(&check.of);
        if (command == nullptr || plan.runtime.commands.contains(command->command)) continue;
        return Error{Errc::NotFound, "check \"" + check.name + "\" names the command " +
                                         command->command + ", which the runtime " +
                                         plan.runtime.name + " does not have"};
    }
    return StepResult{true, "runtime " + plan.runtime.name + " as " + plan.runtime.user + ", " +
                                count_text(plan.system.checks.size(), "content check")};
}

Result<StepResult> choose_snapshot(StepContext& context) {
    const auto supply = HF_TRY(supply_of(context));
    const vault::VaultReader& reader = supply->reader();
    RunFacts& facts = context.run.facts;
    const vault::SnapshotRecord record = facts.snapshot.empty()
                                             ? HF_TRY(reader.latest(context.run.system))
                                             : HF_TRY(reader.find(facts.snapshot));
    if (record.system != context.run.system) {
        return Error{Errc::Invalid, "snapshot " + record.id.brief() + " is of " + record.system};
    }
    HF_TRY(check_space(context, record.bytes));
    facts.snapshot = record.id.hex();
    facts.snapshot_ms = record.time;
    if (record.warnings > 0) {
        facts.remarks.push_back("the snapshot was taken with " +
                                count_text(record.warnings, "warning"));
    }
    return StepResult{true, age_sentence(context.run, record)};
}

Result<StepResult> catch_up(StepContext& context) {
    const auto supply = HF_TRY(supply_of(context));
    const auto newest = HF_TRY(supply->reader().latest(context.run.system));
    RunFacts& facts = context.run.facts;
    if (supply->released()) {
        return StepResult{true,
                          "the owner released this snapshot alone: what is newer cannot be "
                          "seen here; what was written after " +
                              format_time(facts.snapshot_ms) + " is not in this copy"};
    }
    const std::string lost =
        "what was written after " + format_time(facts.snapshot_ms) + " is not in this copy";
    if (newest.id.hex() == facts.snapshot)
        return StepResult{true, "nothing newer is here; " + lost};
    facts.remarks.push_back("snapshot " + newest.id.brief() + " of " + format_time(newest.time) +
                            " is newer than the one that was approved");
    return StepResult{true, facts.remarks.back() + "; " + lost};
}

}  // namespace holdfast::agent
