#include "replicator/loop/timer.h"

#include <string>

namespace holdfast::replicator {

// The handle is the first thing in each State, and closing frees both: libuv needs the handle's
// memory until then.
struct Timer::State {
    uv_timer_t handle;
    std::shared_ptr<Callback<void()>> fire;  // Shared: a callback may replace itself as it runs.
};

void Timer::StateCloser::operator()(State* state) const noexcept {
    state->fire.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&state->handle),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

Result<Timer> Timer::make(Loop& loop) {
    auto state = std::make_unique<State>();
    if (const int status = uv_timer_init(&loop.raw(), &state->handle); status < 0) {
        return uv_error(status);
    }
    state->handle.data = state.get();
    return Timer(state.release());
}

void Timer::start(std::uint64_t ms, std::uint64_t repeat_ms, Callback<void()> fire) {
    state_->fire = std::make_shared<Callback<void()>>(std::move(fire));
    uv_timer_start(
        &state_->handle,
        [](uv_timer_t* handle) {
            const auto running = static_cast<State*>(handle->data)->fire;
            if (running) (*running)();
        },
        ms, repeat_ms);
}

void Timer::once(std::uint64_t ms, Callback<void()> fire) {
    start(ms, 0, std::move(fire));
}

void Timer::every(std::uint64_t ms, Callback<void()> fire) {
    HF_ASSERT(ms > 0);
    start(ms, ms, std::move(fire));
}

void Timer::stop() {
    uv_timer_stop(&state_->handle);
    state_->fire.reset();
}

bool Timer::active() const {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0;
}

struct SignalWatch::State {
    uv_signal_t handle;
    std::shared_ptr<Callback<void()>> caught;  // Shared: it may let go of the watch as it runs.
};

void SignalWatch::StateCloser::operator()(State* state) const noexcept {
    state->caught.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&state->handle),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

Result<SignalWatch> SignalWatch::make(Loop& loop, int signal_number, Callback<void()> caught) {
    auto state = std::make_unique<State>();
    if (const int status = uv_signal_init(&loop.raw(), &state->handle); status < 0) {
        return uv_error(status);
    }
    state->handle.data = state.get();
    state->caught = std::make_shared<Callback<void()>>(std::move(caught));
    SignalWatch watch(state.release());
    const int status = uv_signal_start(
        &watch.state_->handle,
        [](uv_signal_t* handle, int) {
            const auto running = static_cast<State*>(handle->data)->caught;
            if (running) (*running)();
        },
        signal_number);
    if (status == UV_EINVAL) {
        return Error{Errc::Invalid,
                     "signal " + std::to_string(signal_number) + " cannot be caught"};
    }
    if (status < 0) return uv_error(status);
    return watch;
}

}  // namespace holdfast::replicator
