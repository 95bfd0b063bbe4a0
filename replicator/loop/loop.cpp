#include "replicator/loop/loop.h"

#include <csignal>

namespace holdfast::replicator {

struct Loop::Posted {
    Callback<void()> work;
    Posted* next;
};

Result<std::unique_ptr<Loop>> Loop::make() {
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<Loop> loop(new Loop);
    auto wake = std::make_unique<uv_async_t>();
    if (const int status = uv_loop_init(&loop->raw_); status < 0) {
        loop->raw_.data = nullptr;
        return uv_error(status);
    }
    loop->raw_.data = loop.get();
    const int status = uv_async_init(&loop->raw_, wake.get(), [](uv_async_t* handle) {
        if (handle->data != nullptr) static_cast<Loop*>(handle->data)->run_posted();
    });
    if (status < 0) return uv_error(status);
    loop->wake_.reset(wake.release());
    loop->wake_->data = loop.get();
    return loop;
}

Loop::~Loop() {
    if (raw_.data == nullptr) return;  // It was never initialised.
    wake_.reset();
    uv_run(&raw_, UV_RUN_DEFAULT);
    tails_.clear();
    HF_ASSERT(uv_loop_close(&raw_) == 0);  // Else something made on the loop has outlived it.
    for (Posted* at = posted_.exchange(nullptr); at != nullptr;) {
        const std::unique_ptr<Posted> dropped(at);
        at = dropped->next;
    }
}

void Loop::run() {
    stopping_ = false;
    while (!stopping_) uv_run(&raw_, UV_RUN_ONCE);
}

void Loop::stop() {
    stopping_ = true;
    uv_stop(&raw_);
}

bool Loop::run_until(const Callback<bool()>& done, std::uint64_t ms_max) {
    auto made = make_timer(raw_);
    if (!made) return done();
    bool late = false;
    (*made)->data = &late;
    uv_timer_start(
        made->get(), [](uv_timer_t* timer) { *static_cast<bool*>(timer->data) = true; }, ms_max, 0);
    while (!done() && !late) uv_run(&raw_, UV_RUN_ONCE);
    return done();
}

void Loop::post(Callback<void()> work) {
    auto* posted = new Posted{std::move(work), posted_.load(std::memory_order_relaxed)};
    while (!posted_.compare_exchange_weak(posted->next, posted, std::memory_order_release,
                                          std::memory_order_relaxed)) {
    }
    uv_async_send(wake_.get());
}

// The whole list is taken at once: what the work itself posts runs in the next turn, so that a
// callback that keeps posting cannot starve the network.
void Loop::run_posted() {
    Posted* oldest = nullptr;
    for (Posted* at = posted_.exchange(nullptr, std::memory_order_acquire); at != nullptr;) {
        Posted* const next = at->next;
        at->next = oldest;
        oldest = at;
        at = next;
    }
    while (oldest != nullptr) {
        const std::unique_ptr<Posted> posted(oldest);
        oldest = posted->next;
        posted->work();
    }
}

}  // namespace holdfast::replicator
