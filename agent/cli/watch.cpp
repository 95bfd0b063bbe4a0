#include "agent/cli/watch.h"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace holdfast::agent::cli {
namespace {

std::atomic<std::atomic<bool>*> stop_of_signal{nullptr};

/// The second one ends the program where it stands: the work may wait for somebody who does not
/// read. That loses nothing, as no kill does.
void on_signal(int signal) {
    auto* const stop = stop_of_signal.load();
    if (stop == nullptr || !stop->exchange(true)) return;
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

}  // namespace

void run_watched(const std::string& what, std::atomic<bool>& stop,
                 const std::function<void(ProgressLine&)>& draw,
                 const std::function<void()>& work) {
    stop_of_signal = &stop;
    const auto before_int = std::signal(SIGINT, on_signal);
    const auto before_term = std::signal(SIGTERM, on_signal);
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::thread worker([&] {
        work();
        const std::lock_guard lock(mutex);
        done = true;
        changed.notify_all();
    });
    {
        ProgressLine line(what);
        std::unique_lock lock(mutex);
        while (!changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return done; })) {
            draw(line);
        }
    }
    worker.join();
    std::signal(SIGINT, before_int);
    std::signal(SIGTERM, before_term);
    stop_of_signal = nullptr;
}

}  // namespace holdfast::agent::cli
