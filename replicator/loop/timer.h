// Timer and SignalWatch: callbacks at a time or on a signal, stopped when their owner lets go.
//
// A callback may stop, restart or destroy the object that called it.
#pragma once

#include "replicator/loop/loop.h"

#include <cstdint>

namespace holdfast::replicator {

class Timer {
public:
    /// Errors: Io.
    static Result<Timer> make(Loop& loop);

    /// Calls `fire` once after `ms`; replaces what was set before.
    void once(std::uint64_t ms, Callback<void()> fire);
    /// Calls `fire` every `ms`, first after `ms`; replaces what was set before. `ms` > 0.
    void every(std::uint64_t ms, Callback<void()> fire);
    void stop();
    bool active() const;

private:
    struct State;
    struct StateCloser {
        void operator()(State* state) const noexcept;
    };
    explicit Timer(State* state) : state_(state) {}
    void start(std::uint64_t ms, std::uint64_t repeat_ms, Callback<void()> fire);

    std::unique_ptr<State, StateCloser> state_;
};

class SignalWatch {
public:
    /// Calls `caught` on the loop thread at each `signal_number` (SIGTERM, SIGHUP, ...).
    /// Errors: Io, Invalid (a signal that cannot be caught).
    static Result<SignalWatch> make(Loop& loop, int signal_number, Callback<void()> caught);

private:
    struct State;
    struct StateCloser {
        void operator()(State* state) const noexcept;
    };
    explicit SignalWatch(State* state) : state_(state) {}

    std::unique_ptr<State, StateCloser> state_;
};

}  // namespace holdfast::replicator
