// Loop: the one event loop of a process.
//
// Thread rule: everything here belongs to the thread that calls run(); post() alone may be called
// from any thread. A Loop outlives whatever was made on it. SIGPIPE is ignored from make() on: a
// peer that has gone is an Error, not a signal.
#pragma once

#include "replicator/loop/callback.h"
#include "replicator/loop/uv_handle.h"
#include "vault/base/result.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace holdfast::replicator {

/// Something that must stay in memory until the last handle of the loop is closed.
class LoopTail {
public:
    virtual ~LoopTail() = default;
};

class Loop {
public:
    /// Errors: Io.
    static Result<std::unique_ptr<Loop>> make();
    /// Lets all closing handles finish, then frees the loop. Everything made on it must have been
    /// let go; posted work that has not run is dropped.
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Handles events until stop(), also when nothing is left to wait for.
    void run();
    /// Ends run() after the callbacks of this turn.
    void stop();
    /// Handles events until `done()` holds or `ms_max` has passed; answers `done()`. For start-up,
    /// shutdown and tests; not inside a callback.
    bool run_until(const Callback<bool()>& done, std::uint64_t ms_max);

    /// Runs `work` on the loop thread soon, in the order of the calls of one thread. Any thread.
    void post(Callback<void()> work);

    /// Keeps `tail` until ~Loop has drained the loop.
    void keep(std::unique_ptr<LoopTail> tail) { tails_.push_back(std::move(tail)); }

    uv_loop_t& raw() { return raw_; }

private:
    struct Posted;

    Loop() = default;
    void run_posted();

    uv_loop_t raw_{};
    UvHandle<uv_async_t> wake_;
    std::atomic<Posted*> posted_{nullptr};  // Newest first.
    bool stopping_ = false;
    std::vector<std::unique_ptr<LoopTail>> tails_;
};

}  // namespace holdfast::replicator
