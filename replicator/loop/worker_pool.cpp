#include "replicator/loop/worker_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace holdfast::replicator {

struct WorkerPool::State {
    Loop* loop = nullptr;
    std::size_t queue_max = 0;
    std::size_t pending = 0;  // Loop thread only.
    bool closed = false;      // Loop thread only: no completion runs any more.
    std::vector<std::thread> threads;

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Job> queue;  // Guarded by mutex, as is:
    bool stopping = false;
};

namespace {

template <class State, class Job>
bool take(State& state, Job& job) {
    std::unique_lock lock(state.mutex);
    state.changed.wait(lock, [&] { return state.stopping || !state.queue.empty(); });
    if (state.stopping) return false;
    job = std::move(state.queue.front());
    state.queue.pop_front();
    return true;
}

}  // namespace

Result<std::unique_ptr<WorkerPool>> WorkerPool::make(Loop& loop, std::size_t threads,
                                                     std::size_t queue_max) {
    HF_ASSERT(threads >= 1);
    auto state = std::make_shared<State>();
    state->loop = &loop;
    state->queue_max = queue_max;
    std::unique_ptr<WorkerPool> pool(new WorkerPool(state));
    for (std::size_t i = 0; i < threads; ++i) {
        // std::thread alone tells of failure by an exception.
        try {
            state->threads.emplace_back([state] {
                for (Job job; take(*state, job); job = nullptr) {
                    state->loop->post([state, completion = job()] {
                        if (state->closed) return;
                        --state->pending;
                        completion();
                    });
                }
            });
        } catch (const std::system_error& e) {
            return Error{Errc::Io, std::string("start a worker thread: ") + e.what()};
        }
    }
    return pool;
}

WorkerPool::~WorkerPool() {
    state_->closed = true;
    std::deque<Job> dropped;  // Freed outside the lock.
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
        dropped.swap(state_->queue);
    }
    state_->changed.notify_all();
    for (std::thread& thread : state_->threads) thread.join();
    state_->threads.clear();
}

Result<void> WorkerPool::submit_job(Job job) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->queue.size() >= state_->queue_max) {
            return Error{Errc::Full, "all workers are busy and " +
                                         std::to_string(state_->queue_max) + " jobs wait"};
        }
        state_->queue.push_back(std::move(job));
    }
    ++state_->pending;
    state_->changed.notify_one();
    return {};
}

std::size_t WorkerPool::pending() const {
    return state_->pending;
}

}  // namespace holdfast::replicator
