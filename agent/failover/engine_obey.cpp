// What people ask of a run, done by the run's own thread between two steps; and the care for a
// system that is open.
#include "agent/attach/attach.h"
#include "agent/failover/engine.h"
#include "agent/failover/step.h"
#include "agent/failover/terms.h"
#include "agent/host/door.h"
#include "agent/host/room.h"
#include "agent/process/proc_file.h"
#include "vault/base/fault.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::string_view aborted_words = "aborted by a person";

Result<bool> all_doors_open(const StepContext& context) {
    for (const OpenEndpoint& one : context.run.facts.endpoints) {
        if (!HF_TRY(is_door_open(context.folder(), one.name))) return false;
    }
    return true;
}

}  // namespace

bool was_aborted(const Run& run) {
    return run.facts.failure.starts_with(aborted_words);
}

/// Only the run's own thread changes its state; what people ask is done here, between two steps.
Result<void> Engine::obey(Run& run, Worker& worker) {
    const Asked asked = run.asked;
    const bool undoing = was_aborted(run) && run.kind == RunKind::Failover;
    if (asked == Asked::Pause && !undoing && !is_over(run.state))
        HF_TRY(say(run, RunState::Paused, "paused by a person"));
    if (asked == Asked::Resume && !is_over(run.state)) {
        HF_TRY(run.facts.opened_ms != 0 ? begin_again(run) : begin_sealed_again(run));
        HF_TRY(say(run, undoing ? RunState::Undoing : RunState::Working, ""));
    }
    if (asked == Asked::Abort && !undoing) {
        worker.hurry = false;
        HF_TRY(begin_abort(run));
    }
    if (asked == Asked::Look && run.state == RunState::Waiting) {
        HF_TRY(say(run, RunState::Working, ""));
    }
    if (asked == Asked::Stop) {
        const auto closed = close_system(run);
        if (!closed) HF_TRY(say(run, RunState::Stuck, "stop: " + closed.error().message));
    }
    return store_->obeyed(run.id, asked);
}

Result<void> Engine::begin_abort(Run& run) {
    if (const auto may = check_abort(run); !may) {  // The term came first.
        run.facts.remarks.push_back("an abort was asked for too late");
        return store_->set_facts(run.id, run.facts);
    }
    const std::string why = run.note.empty() ? "" : " (" + run.note + ")";
    run.facts.failure = std::string(aborted_words) + why;
    HF_TRY(store_->set_facts(run.id, run.facts));
    fault_point("abort recorded");
    if (run.kind == RunKind::Failover) return say(run, RunState::Undoing, run.facts.failure);
    HF_TRY(skip_to_clean_up(run, run.facts.failure));
    return say(run, RunState::Working, run.facts.failure);
}

/// A system that was open is started anew over what was written to it. After a restart of the
/// machine nobody knows what happened meanwhile: a majority of the witnesses says that there is no
/// later term, or two people attest once more.
Result<void> Engine::begin_again(Run& run) {
    const std::string boot = HF_TRY(boot_id());
    const bool rebooted = boot != run.facts.boot;
    if (rebooted) HF_TRY(store_->forget_attestations(run.id));
    for (StepRecord step : run.steps) {
        const bool again = step.name == "attach" || step.name == "start" || step.name == "open" ||
                           step.name == "switch" || (rebooted && step.name == "witness") ||
                           (rebooted && step.name == "fence" && run.facts.witnesses.empty());
        if (!again) continue;
        step.state = StepState::Ahead;
        HF_TRY(store_->set_step(run.id, step, run.facts));
    }
    return {};
}

/// A sealed system that has died is started anew over what it wrote, and proven anew.
Result<void> Engine::begin_sealed_again(Run& run) {
    const StepRecord* start = run.step("start");
    const bool started = start != nullptr && start->state == StepState::Done;
    if (run.kind != RunKind::Failover || !started || check_system(run)) return {};
    for (StepRecord step : run.steps) {
        if (step.name != "attach" && step.name != "start" && step.name != "prove") continue;
        step.state = StepState::Ahead;
        HF_TRY(store_->set_step(run.id, step, run.facts));
    }
    return {};
}

/// Errors: Io (it has ended, or its mount has).
Result<void> Engine::check_system(const Run& run) {
    const std::string folder = home_.mounts + "/" + run.name();
    const bool runs = HF_TRY(is_room_open(folder));
    if (runs && HF_TRY(is_attached(folder))) return {};
    std::string what = "the system has ended" + std::string(runs ? " (its mount died)" : "");
    if (run.kind == RunKind::Failover) {
        what += "; resume starts it again over all that was written to it";
    }
    return Error{Errc::Io, what};
}

/// A second record of our own term is for people to judge: shutting users out by it could end the
/// only copy that lives.
Result<void> Engine::tell_conflict(Run& run) {
    if (HF_TRY(store_->conflicts(run.owner, run.system, run.facts.term)).empty()) return {};
    return say(run, run.state,
               "ALARM: there is another holder record of term " + std::to_string(run.facts.term) +
                   "; find out whether " + run.system + " runs elsewhere too");
}

/// False, always: there is nothing to do until something changes.
Result<bool> Engine::keep_open(Run& run) {
    const std::function<bool()> hurry = [this] { return ending_.load(); };
    StepContext context{home_, *clock_, *store_, run, hurry};
    const auto ours = may_open(*store_, run.owner, run.system, run.facts.term, run.name());
    if (!ours) {  // Two live copies, until a moment ago.
        HF_TRY(switch_back(context));
        HF_TRY(close_to_users(context));
        HF_TRY(say(run, RunState::Stuck,
                   "TWO COPIES WERE LIVE: " + ours.error().message +
                       "; users are shut out here, what they wrote stays"));
        return false;
    }
    HF_TRY(tell_conflict(run));
    if (const auto lives = check_system(run); !lives) {
        HF_TRY(say(run, RunState::Stuck, lives.error().message));
        return false;
    }
    if (HF_TRY(all_doors_open(context))) return false;
    const auto opened = open_to_users(context);
    if (!opened) HF_TRY(say(run, RunState::Stuck, opened.error().message));
    return false;
}

Result<void> Engine::close_system(Run& run) {
    if (run.kind != RunKind::Failover || run.facts.opened_ms == 0) return {};
    const std::function<bool()> hurry = [] { return false; };
    StepContext context{home_, *clock_, *store_, run, hurry};
    HF_TRY(switch_back(context));
    HF_TRY(close_to_users(context));
    HF_TRY(stop_sealed(context));
    HF_TRY(detach(context.folder()));
    HF_TRY(store_->forget_release_keys(run.id));
    return say(run, RunState::Closed, "stopped; what was written stays at " + context.folder());
}

}  // namespace holdfast::agent
