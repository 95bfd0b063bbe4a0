#include "agent/people/sign_in_limits.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::int64_t bucket_ms = tries_max * try_leak_ms;

/// After the third failure a second, then two, four, … up to a minute.
std::int64_t pause_after(unsigned failed) {
    if (failed < free_tries) return 0;
    const unsigned doublings = std::min(failed - free_tries, 16U);
    return std::min(std::int64_t{1000} << doublings, name_pause_ms_max);
}

}  // namespace

void SignInLimits::leak(std::int64_t now) {
    full_ms_ = std::max<std::int64_t>(0, full_ms_ - (now - leaked_ms_));
    leaked_ms_ = now;
}

void SignInLimits::make_room(std::int64_t now) {
    if (names_.size() < names_max) return;
    std::erase_if(names_,
                  [&](const auto& one) { return now - one.second.last_ms >= name_forgotten_ms; });
    if (names_.size() < names_max) return;
    names_.erase(std::min_element(names_.begin(), names_.end(), [](const auto& a, const auto& b) {
        return a.second.last_ms < b.second.last_ms;
    }));
}

std::int64_t SignInLimits::begin(const std::string& name) {
    const std::int64_t now = now_ms();
    leak(now);
    auto found = names_.find(name);
    if (found != names_.end() && now - found->second.last_ms >= name_forgotten_ms) {
        names_.erase(found);
        found = names_.end();
    }
    if (found != names_.end() && now < found->second.next_ms) return found->second.next_ms - now;
    if (full_ms_ + try_leak_ms > bucket_ms) return full_ms_ + try_leak_ms - bucket_ms;
    if (found == names_.end()) {
        make_room(now);
        found = names_.emplace(name, Tries{}).first;
    }
    Tries& tries = found->second;
    ++tries.failed;
    tries.last_ms = now;
    tries.next_ms = now + pause_after(tries.failed);
    full_ms_ += try_leak_ms;
    return 0;
}

void SignInLimits::succeeded(const std::string& name) {
    names_.erase(name);
    full_ms_ = std::max<std::int64_t>(0, full_ms_ - try_leak_ms);
}

}  // namespace holdfast::agent
