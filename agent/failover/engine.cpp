#include "agent/failover/engine.h"

#include "agent/attach/attach.h"
#include "agent/config/name.h"
#include "agent/config/node_settings.h"
#include "agent/failover/approval.h"
#include "agent/failover/released.h"
#include "agent/failover/step.h"
#include "agent/node/node_keys.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/keys/custody.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace holdfast::agent {
namespace {

// People may change what a waiting step looks at by other ways than this process.
constexpr std::chrono::seconds settle_again{2};

bool stands_still(RunState state) {
    return state == RunState::Paused || state == RunState::Stuck;
}

/// A failover's system, in use; it is looked after.
bool is_open(const Run& run) {
    return run.kind == RunKind::Failover && run.state == RunState::Succeeded;
}

Error is_over_error(const Run& run) {
    return {Errc::Conflict, run.name() + " is over: it " + std::string(name_of(run.state))};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const Home& home, const Clock& clock) {
    HF_TRY(load_node(home));
    HF_TRY(make_folders(home.state));
    HF_TRY(make_folders(home.mounts));
    std::unique_ptr<Engine> engine(new Engine(home, clock));
    engine->store_ = HF_TRY(RunStore::open(home.state + "/runs.db"));
    for (const std::int64_t id : HF_TRY(engine->store_->under_way())) engine->start(id);
    engine->watch_ = std::thread([own = engine.get()] { own->watch_terms(); });
    return engine;
}

Engine::~Engine() {
    ending_ = true;
    wake();
    for (auto& [id, worker] : workers_) worker->thread.join();
    if (watch_.joinable()) watch_.join();
}

void Engine::wake() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    changed_.notify_all();
}

Result<Run> Engine::order(RunKind kind, const RunOrder& wanted) {
    HF_TRY(check_name(wanted.system, "a system"));
    NewRun run;
    run.kind = kind;
    run.system = wanted.system;
    const TrustId own = HF_TRY(load_node(home_)).trust;
    run.owner = wanted.owner ? *wanted.owner : own;
    run.snapshot = wanted.snapshot;
    run.ordered_by = wanted.ordered_by.empty() ? "the node's administrator" : wanted.ordered_by;
    run.now_ms = clock_->wall_ms();
    if (wanted.release) {
        if (run.owner == own) {
            return Error{Errc::Invalid, "a release is for a partner's system; " + wanted.system +
                                            " is this trust's own"};
        }
        const vault::Release release = HF_TRY(judge_release(
            home_, run.owner, run.system, run.snapshot, wanted.release->record, run.now_ms));
        run.snapshot = release.snapshot.hex();
        run.release = wanted.release;
    }
    const AgentKeys keys = HF_TRY(read_agent_keys(home_.keys));
    for (const Buffer& share : wanted.shares) {
        HF_TRY(vault::receive_share(share, keys.box).within("a share"));
    }
    Run made = HF_TRY(store_->add(run));
    for (const Buffer& share : wanted.shares) HF_TRY(store_->add_share(made.id, share));
    fault_point("run ordered");
    start(made.id);
    return made;
}

Result<Run> Engine::order_drill(const RunOrder& wanted) {
    return order(RunKind::Drill, wanted);
}
Result<Run> Engine::order_failover(const RunOrder& wanted) {
    return order(RunKind::Failover, wanted);
}

void Engine::start(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    auto& worker = workers_[id];
    HF_ASSERT(worker == nullptr);
    worker = std::make_unique<Worker>();
    Worker& own = *worker;
    own.thread = std::thread([this, id, &own] { drive(id, own); });
}

/// The run's thread: steps until it is over, or waits to be woken.
void Engine::drive(std::int64_t id, Worker& worker) {
    std::uint64_t seen = 0;
    while (!ending_) {
        {
            const std::lock_guard lock(mutex_);
            seen = changes_;
        }
        const Result<bool> more = advance(id, worker);
        if (!more) {  // The run's own file cannot be written: nothing may be done unrecorded.
            std::fprintf(stderr, "run %lld: %s\n", static_cast<long long>(id),
                         more.error().message.c_str());
        } else if (*more) {
            continue;
        }
        wake();  // Whoever waits for it to stand still.
        const auto run = store_->run(id);
        if (run && is_over(run->state) && !is_open(*run)) return;
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, settle_again, [&] { return ending_ || changes_ > seen + 1; });
    }
}

Result<void> Engine::say(Run& run, RunState state, const std::string& note) {
    if (run.state == state && run.note == note) return {};
    run.state = state;
    run.note = note;
    HF_TRY(store_->set_state(run.id, state, note, clock_->wall_ms()));
    wake();
    return {};
}

/// One move. False: nothing to do until something changes.
Result<bool> Engine::advance(std::int64_t id, Worker& worker) {
    Run run = HF_TRY(store_->run(id));
    if (run.asked != Asked::Nothing) {
        HF_TRY(obey(run, worker));
        return true;  // It is another run now: look again.
    }
    if (is_open(run)) return keep_open(run);
    if (is_over(run.state) || stands_still(run.state)) return false;
    if (run.state == RunState::Undoing) return undo_last(run, worker);
    const auto next = std::find_if(run.steps.begin(), run.steps.end(), [](const StepRecord& step) {
        return step.state == StepState::Ahead || step.state == StepState::Begun;
    });
    if (next == run.steps.end()) return finish(run, worker);
    return do_step(run, *next, worker);
}

Result<bool> Engine::do_step(Run& run, StepRecord step, Worker& worker) {
    const bool first_try = step.state == StepState::Ahead;
    if (first_try) {
        step.state = StepState::Begun;
        step.begun_ms = clock_->wall_ms();
        HF_TRY(store_->set_step(run.id, step, run.facts));
    }
    fault_point("step's intent recorded");
    const std::function<bool()> hurry = [&] { return ending(worker); };
    StepContext context{home_, *clock_, *store_, run, hurry};
    const Step& known = step_named(step.name);
    const auto ready = known.needs_system ? check_system(run) : Result<void>();
    auto result = ready ? known.act(context) : Result<StepResult>(ready.error());
    fault_point("step acted");
    if (!result && ending(worker)) return true;
    if (!result && result.error().code == Errc::Locked) {
        HF_TRY(store_->set_facts(run.id, run.facts));
        HF_TRY(say(run, RunState::Waiting, result.error().message));
        return false;
    }
    if (!result) return step_failed(run, step, result.error());
    if (!result->done) {
        HF_TRY(store_->set_facts(run.id, run.facts));
        HF_TRY(say(run, RunState::Waiting, result->text));
        return false;
    }
    step.state = StepState::Done;
    step.ended_ms = clock_->wall_ms();
    step.outcome = result->text;
    HF_TRY(store_->set_step(run.id, step, run.facts));
    fault_point("step's outcome recorded");
    if (run.state == RunState::Waiting) HF_TRY(say(run, RunState::Working, ""));
    wake();
    return true;
}

Result<bool> Engine::step_failed(Run& run, StepRecord step, const Error& error) {
    const bool last_chance = step.name == "clean-up" || step.name == "report";
    if (run.kind == RunKind::Drill && !last_chance) {
        step.state = StepState::Failed;
        step.ended_ms = clock_->wall_ms();
        step.outcome = error.message;
        HF_TRY(store_->set_step(run.id, step, run.facts));
        return skip_to_clean_up(run, step.name + ": " + error.message);
    }
    step.outcome = error.message;
    HF_TRY(store_->set_step(run.id, step, run.facts));
    HF_TRY(say(run, RunState::Stuck, step.name + ": " + error.message));
    return false;
}

/// A drill's way out: what is left before clean-up is not tried.
Result<bool> Engine::skip_to_clean_up(Run& run, const std::string& failure) {
    if (run.facts.failure.empty()) run.facts.failure = failure;
    HF_TRY(store_->set_facts(run.id, run.facts));
    for (StepRecord step : HF_TRY(store_->run(run.id)).steps) {
        if (step.name == "clean-up") break;
        if (step.state != StepState::Ahead && step.state != StepState::Begun) continue;
        step.state = StepState::Skipped;
        HF_TRY(store_->set_step(run.id, step, run.facts));
    }
    return true;
}

Result<bool> Engine::undo_last(Run& run, Worker& worker) {
    const std::function<bool()> hurry = [this] { return ending_.load(); };
    for (auto at = run.steps.rbegin(); at != run.steps.rend(); ++at) {
        StepRecord step = *at;
        if (step.name == "report" || step.begun_ms == 0 || step.state == StepState::Undone)
            continue;
        StepContext context{home_, *clock_, *store_, run, hurry};
        const Step& known = step_named(step.name);
        const Result<void> undone = known.undo == nullptr ? Result<void>() : known.undo(context);
        if (!undone) {
            HF_TRY(say(run, RunState::Stuck, "undo " + step.name + ": " + undone.error().message));
            return false;
        }
        step.state = StepState::Undone;
        HF_TRY(store_->set_step(run.id, step, run.facts));
        fault_point("step undone");
        return true;
    }
    return finish(run, worker);
}

/// All steps are behind; an abort still wants its report.
Result<bool> Engine::finish(Run& run, Worker& worker) {
    const bool undone = run.state == RunState::Undoing;
    const StepRecord* report = run.step("report");
    if (undone && report->state != StepState::Done) {
        return do_step(run, *report, worker);
    }
    RunState end = run.facts.failure.empty() ? RunState::Succeeded : RunState::Failed;
    if (was_aborted(run)) end = RunState::Aborted;
    const bool open_now = run.kind == RunKind::Failover && end == RunState::Succeeded;
    if (!open_now) HF_TRY(store_->forget_release_keys(run.id));
    HF_TRY(say(run, end, run.facts.failure));
    return false;
}

Result<void> Engine::approve(std::int64_t id, View signed_order,
                             const std::optional<Buffer>& attestation) {
    const Run run = HF_TRY(store_->run(id));
    if (is_over(run.state)) return is_over_error(run);
    HF_TRY(add_approval(home_, *store_, run, signed_order, attestation, clock_->wall_ms()));
    return look(run);
}

Result<void> Engine::add_share(std::int64_t id, View handed) {
    const Run run = HF_TRY(store_->run(id));
    if (is_over(run.state)) return is_over_error(run);
    const AgentKeys keys = HF_TRY(read_agent_keys(home_.keys));
    HF_TRY(vault::receive_share(handed, keys.box).within("the share"));
    HF_TRY(store_->add_share(id, handed));
    return look(run);
}

Result<void> Engine::add_release(std::int64_t id, const StoredRelease& release) {
    const Run run = HF_TRY(store_->run(id));
    if (is_over(run.state) && !is_open(run)) return is_over_error(run);
    HF_TRY(judge_release(home_, run.owner, run.system, run.facts.snapshot, release.record,
                         clock_->wall_ms()));
    HF_TRY(store_->put_release(id, release));
    return look(run);
}

/// What else a person has asked stands before it.
Result<void> Engine::look(const Run& run) {
    if (run.asked == Asked::Nothing) HF_TRY(store_->ask(run.id, Asked::Look));
    wake();
    return {};
}

Result<void> Engine::ask(std::int64_t id, Asked what) {
    const Run run = HF_TRY(store_->run(id));
    if (is_open(run)) {
        return Error{Errc::Conflict, run.name() + " is open to its users: holdfast run stop " +
                                         std::to_string(id) + " ends it"};
    }
    if (is_over(run.state)) return is_over_error(run);
    if (what == Asked::Abort) HF_TRY(check_abort(run));
    HF_TRY(store_->ask(id, what));
    if (what == Asked::Abort) {
        const std::lock_guard lock(mutex_);
        const auto at = workers_.find(id);
        if (at != workers_.end()) at->second->hurry = true;
    }
    wake();
    return {};
}

Result<void> Engine::pause(std::int64_t id) {
    return ask(id, Asked::Pause);
}
Result<void> Engine::resume(std::int64_t id) {
    return ask(id, Asked::Resume);
}
Result<void> Engine::abort(std::int64_t id) {
    return ask(id, Asked::Abort);
}

Result<void> Engine::check_abort(const Run& run) {
    const auto held = HF_TRY(store_->newest_holder(run.owner, run.system));
    if (!held || held->run != run.id) return {};
    return Error{Errc::Conflict, run.name() +
                                     " has taken its term: there is no way back, only "
                                     "holdfast run stop"};
}

Result<void> Engine::stop(std::int64_t id) {
    const Run run = HF_TRY(store_->run(id));
    const bool held = run.kind == RunKind::Failover && run.facts.opened_ms != 0;
    if (!held || run.state == RunState::Closed) {
        return Error{Errc::Conflict, run.name() + " is no system that a failover opened"};
    }
    HF_TRY(store_->ask(id, Asked::Stop));
    wake();
    return {};
}

Result<Run> Engine::wait(std::int64_t id, int ms_max, const Until& until) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms_max);
    for (;;) {
        std::uint64_t seen = 0;
        {
            const std::lock_guard lock(mutex_);
            seen = changes_;
        }
        Run run = HF_TRY(store_->run(id));
        if (until(run) || std::chrono::steady_clock::now() >= deadline) return run;
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, deadline, [&] { return changes_ != seen; });
    }
}

bool Engine::settled(const Run& run) {
    return run.asked == Asked::Nothing && run.state != RunState::Working &&
           run.state != RunState::Undoing;
}

}  // namespace holdfast::agent
