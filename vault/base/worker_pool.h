// WorkerPool: a few threads that run jobs from one bounded queue.
//
// A job is a function over what was moved into it; what it shares with others it locks itself. The
// number of the worker that runs it lets a job use that worker's own tools (a compressor, a pack in
// the making) without a lock.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast {

class WorkerPool {
public:
    using Job = std::function<void(unsigned worker)>;

    WorkerPool(unsigned workers, std::size_t queue_max);
    /// Finishes what was submitted.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Waits while the queue is full.
    void submit(Job job);
    /// Waits until all submitted jobs have run.
    void drain();
    unsigned workers() const { return static_cast<unsigned>(threads_.size()); }

private:
    void run(unsigned worker);

    const std::size_t queue_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> queue_;
    std::size_t running_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

/// One worker for each processor this process may use, eight at most.
unsigned default_workers();

}  // namespace holdfast
