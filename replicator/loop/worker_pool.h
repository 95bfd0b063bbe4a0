// WorkerPool: a fixed number of threads for CPU work and blocking file work.
//
// A job is a pure function over what was moved into it: it shares nothing with the loop thread.
// Its result is moved back and handed to `done` on the loop thread. Jobs start in the order of
// submission. The queue is bounded: a full pool refuses, and the caller keeps its input waiting
// (pause the body, leave the file unread) until a job of its own is done.
#pragma once

#include "replicator/loop/loop.h"

#include <cstddef>
#include <memory>
#include <type_traits>

namespace holdfast::replicator {

class WorkerPool {
public:
    /// `threads` >= 1; at most `queue_max` jobs wait. Errors: Io (no threads to be had).
    static Result<std::unique_ptr<WorkerPool>> make(Loop& loop, std::size_t threads,
                                                    std::size_t queue_max);
    /// Waits for the running jobs; drops the waiting ones and all results not yet handed out.
    ~WorkerPool();

    /// Runs `work()` on a worker, then `done(result)` (or `done()` for void) on the loop thread.
    /// Errors: Full; neither is called then.
    template <class Work, class Done>
    Result<void> submit(Work work, Done done) {
        using R = std::invoke_result_t<Work&>;
        return submit_job([work = std::move(work), done = std::move(done)]() mutable -> Completion {
            if constexpr (std::is_void_v<R>) {
                work();
                return [done = std::move(done)]() mutable { done(); };
            } else {
                return [done = std::move(done), result = work()]() mutable {
                    done(std::move(result));
                };
            }
        });
    }

    /// Jobs waiting or running, or whose `done` has not been called yet.
    std::size_t pending() const;

private:
    struct State;
    using Completion = Callback<void()>;
    using Job = Callback<Completion()>;

    explicit WorkerPool(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Result<void> submit_job(Job job);

    // Shared with completions in the loop's mail, which may arrive after the pool has gone.
    std::shared_ptr<State> state_;
};

}  // namespace holdfast::replicator
