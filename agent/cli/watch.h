// Watch: runs long work on a thread of its own, while this one draws progress and listens for
// Ctrl-C, which sets `stop`; the work then ends by itself, with everything in order. A second one
// ends the program at once.
#pragma once

#include "agent/cli/terminal.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>

namespace holdfast::agent::cli {

/// Runs `work` to its end.
void run_watched(const std::string& what, std::atomic<bool>& stop,
                 const std::function<void(ProgressLine&)>& draw, const std::function<void()>& work);

template <class Work>
auto watch(const std::string& what, std::atomic<bool>& stop,
           const std::function<void(ProgressLine&)>& draw, Work work) {
    std::optional<decltype(work())> result;
    run_watched(what, stop, draw, [&] { result.emplace(work()); });
    return std::move(*result);
}

}  // namespace holdfast::agent::cli
