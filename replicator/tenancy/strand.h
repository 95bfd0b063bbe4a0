// Strand: a thing that the loop lends to one worker at a time.
//
// Jobs on it run in the order of run(), each on some worker, none beside another; so the thing
// needs no lock, and its slow work never holds the loop. Thread rule: run() and `done` belong to
// the loop thread. The pool must go first: it waits for the running job, and drops the others.
#pragma once

#include "replicator/loop/worker_pool.h"

#include <deque>
#include <memory>
#include <utility>

namespace holdfast::replicator {

template <class Thing>
class Strand {
public:
    static constexpr std::size_t waiting_max = 256;

    Strand(WorkerPool& pool, std::unique_ptr<Thing> thing)
        : pool_(&pool), thing_(std::move(thing)) {}

    /// True if run() would take no more.
    bool full() const { return waiting_.size() >= waiting_max; }

    /// Runs `work(thing)` on a worker, then `done(result)` on the loop.
    template <class Work, class Done>
    void run(Work work, Done done) {
        waiting_.push_back([this, work = std::move(work), done = std::move(done)]() mutable {
            return start(std::move(work), std::move(done));
        });
        next();
    }

private:
    template <class Work, class Done>
    Result<void> start(Work work, Done done) {
        using Answer = std::invoke_result_t<Work&, Thing&>;
        using Back = std::pair<std::unique_ptr<Thing>, Answer>;
        return pool_->submit(
            [thing = std::move(thing_), work = std::move(work)]() mutable {
                Answer answer = work(*thing);
                return Back{std::move(thing), std::move(answer)};
            },
            [this, done = std::move(done)](Back back) mutable {
                thing_ = std::move(back.first);
                done(std::move(back.second));
                next();
            });
    }

    void next() {
        if (!thing_ || waiting_.empty()) return;
        const auto starter = std::move(waiting_.front());
        waiting_.pop_front();
        // The pool's queue holds more jobs than there can be strands and requests.
        const Result<void> started = starter();
        HF_ASSERT(started);
    }

    WorkerPool* pool_;
    std::unique_ptr<Thing> thing_;  // Null while a worker has it.
    std::deque<Callback<Result<void>()>> waiting_;
};

}  // namespace holdfast::replicator
