// Engine: brings runs to their end, whatever happens to this process meanwhile.
//
// Each run has a thread. Before a step its intent is on disk, after it its outcome; a new process
// begins where the last one ended, and steps are made to be begun again. A step that fails ends a
// drill, which then cleans up and reports; a failover stands still until a person resumes or aborts
// it. Whatever lacks a person's word waits. A system that is open is looked after: doors that died
// are opened again; one that ended waits for a person to start it again. Abort undoes in reverse;
// after a term was taken there is nothing to abort, only a system to stop.
//
// Thread rule: any thread may call; calls are short.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run_store.h"
#include "vault/base/clock.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::agent {

struct RunOrder {
    std::string system;
    std::optional<TrustId> owner;  // None: this trust.
    std::string snapshot;          // The beginning of its id; empty: the newest.
    std::string ordered_by;
    std::vector<Buffer> shares;            // Custodians', wrapped for this node.
    std::optional<StoredRelease> release;  // The owner's, of a partner's system.
};

class Engine {
public:
    /// Goes on with every run that is under way. Errors: NotFound (not a node), those of the store.
    static Result<std::unique_ptr<Engine>> open(const Home& home, const Clock& clock);
    /// Ends its threads between two steps, or inside a step that only waits. Runs stay as they are.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Errors: Conflict (a run of the system is under way), Invalid (a name, or a release of an own
    /// system), Corrupt (a share), those of judge_release(), Full, Io.
    Result<Run> order_drill(const RunOrder& order);
    Result<Run> order_failover(const RunOrder& order);

    RunStore& store() { return *store_; }

    /// A person's signature under a failover's order. Errors: as add_approval(), Conflict (over).
    Result<void> approve(std::int64_t id, View signed_order,
                         const std::optional<Buffer>& attestation);
    /// A custodian's share, wrapped for this node. Errors: Corrupt, Conflict (over).
    Result<void> add_share(std::int64_t id, View handed);

    /// A release for a run that waits for one, or whose release has ended. Errors: those of
    /// judge_release(), Conflict (over).
    Result<void> add_release(std::int64_t id, const StoredRelease& release);

    /// Stops after the present step. Errors: NotFound, Conflict (it does not run).
    Result<void> pause(std::int64_t id);
    /// Goes on; a failed step is tried again. Errors: NotFound, Conflict (it is over).
    Result<void> resume(std::int64_t id);
    /// Errors: NotFound, Conflict (it is over, or a term was taken: stop() it instead).
    Result<void> abort(std::int64_t id);
    /// Ends a system that a failover opened; what was written to it stays. Errors: NotFound,
    /// Conflict (it is no open failover).
    Result<void> stop(std::int64_t id);

    using Until = std::function<bool(const Run&)>;
    /// The run is over, or stands still until a person does something.
    static bool settled(const Run& run);
    /// Waits until that is so, `ms_max` at most; answers the run as it is then. Errors: NotFound.
    Result<Run> wait(std::int64_t id, int ms_max, const Until& until = settled);

private:
    struct Worker {
        std::thread thread;
        std::atomic<bool> hurry{false};
    };

    Engine(Home home, const Clock& clock) : home_(std::move(home)), clock_(&clock) {}
    Result<Run> order(RunKind kind, const RunOrder& order);
    void start(std::int64_t id);
    void drive(std::int64_t id, Worker& worker);
    Result<bool> advance(std::int64_t id, Worker& worker);
    Result<bool> do_step(Run& run, StepRecord step, Worker& worker);
    Result<bool> step_failed(Run& run, StepRecord step, const Error& error);
    Result<bool> undo_last(Run& run, Worker& worker);
    Result<bool> skip_to_clean_up(Run& run, const std::string& failure);
    Result<bool> finish(Run& run, Worker& worker);
    Result<void> ask(std::int64_t id, Asked what);
    Result<void> look(const Run& run);
    Result<void> check_abort(const Run& run);
    Result<void> obey(Run& run, Worker& worker);
    Result<void> begin_abort(Run& run);
    Result<void> begin_again(Run& run);
    Result<void> begin_sealed_again(Run& run);
    Result<void> check_system(const Run& run);
    Result<bool> keep_open(Run& run);
    Result<void> tell_conflict(Run& run);
    Result<void> close_system(Run& run);
    Result<void> say(Run& run, RunState state, const std::string& note);
    void watch_terms();
    Result<std::string> look_at_terms();
    bool ending(const Worker& worker) const { return ending_ || worker.hurry; }
    void wake();

    Home home_;
    const Clock* clock_;
    std::unique_ptr<RunStore> store_;
    std::mutex mutex_;  // Guards workers_, and what changed_ announces.
    std::condition_variable changed_;
    std::uint64_t changes_ = 0;
    std::atomic<bool> ending_{false};
    std::map<std::int64_t, std::unique_ptr<Worker>> workers_;
    std::thread watch_;
};

bool was_aborted(const Run& run);

}  // namespace holdfast::agent
