#include "vault/base/throttle.h"

#include "vault/base/clock.h"

#include <poll.h>

#include <algorithm>

namespace holdfast {
namespace {

constexpr double second_ns = 1e9;
constexpr std::int64_t wait_ms_max = 60'000;

}  // namespace

void Throttle::spend(std::uint64_t bytes) {
    if (rate_ == 0) return;
    const std::int64_t now_ns = system_clock().steady_ns();
    if (spent_ == 0) start_ns_ = now_ns;
    spent_ += bytes;
    const double due_ns = static_cast<double>(spent_) / static_cast<double>(rate_) * second_ns;
    const auto wait_ms = (static_cast<std::int64_t>(due_ns) - (now_ns - start_ns_)) / 1'000'000;
    if (wait_ms > 0) {
        (void)::poll(nullptr, 0, static_cast<int>(std::min(wait_ms, wait_ms_max)));
    }
}

}  // namespace holdfast
