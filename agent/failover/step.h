// Step: one thing that a run does, checks and can undo.
//
// act() may be called again after a crash at any place within it: it asks first what is so already,
// and does the rest. undo() leaves nothing of the step, however far act() had come.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run.h"
#include "agent/failover/run_store.h"
#include "vault/base/clock.h"

#include <functional>
#include <string>
#include <string_view>

namespace holdfast::agent {

struct StepContext {
    const Home& home;
    const Clock& clock;
    RunStore& store;
    Run& run;                            // Its facts are kept with the step's outcome.
    const std::function<bool()>& hurry;  // True: the agent ends, or a person wants to abort.

    /// All that the run has on disk, but for its evidence.
    std::string folder() const { return home.mounts + "/" + run.name(); }
    std::string tree() const { return folder() + "/tree"; }
    std::string run_folder() const { return folder() + "/run"; }
};

struct StepResult {
    bool done = true;  // False: it waits for people, `text` says for what.
    std::string text;
};

struct Step {
    std::string_view name;
    std::string_view sentence;  // What it does, for people.
    Result<StepResult> (*act)(StepContext& context);
    Result<void> (*undo)(StepContext& context);  // Null: there is nothing to undo.
    bool needs_system = false;                   // The sealed system must run while it acts.
};

/// A step of that name; a name that steps_of() does not know is a broken rule.
const Step& step_named(std::string_view name);

// The steps, one file each or a few.
Result<StepResult> check_plan(StepContext& context);
Result<StepResult> choose_snapshot(StepContext& context);
Result<StepResult> attach_chosen(StepContext& context);
Result<void> detach_chosen(StepContext& context);
Result<StepResult> start_sealed(StepContext& context);
Result<void> stop_sealed(StepContext& context);
Result<StepResult> prove(StepContext& context);
Result<StepResult> clean_up(StepContext& context);
Result<StepResult> authorise(StepContext& context);
Result<StepResult> fence(StepContext& context);
Result<StepResult> catch_up(StepContext& context);
Result<StepResult> witness(StepContext& context);
Result<StepResult> open_to_users(StepContext& context);
Result<void> close_to_users(StepContext& context);
Result<StepResult> switch_users(StepContext& context);
Result<void> switch_back(StepContext& context);
Result<StepResult> write_report(StepContext& context);

}  // namespace holdfast::agent
