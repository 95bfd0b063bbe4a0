// Sign-in limits: how soon a name may be tried again, so that guessing a passphrase takes years.
//
// A name has three tries; then each must wait twice as long as the one before, up to a minute. Not
// longer: whoever knows a name could else shut its owner out on the night that matters, and one
// guess a minute is hopeless enough. All names together leak one failure every six seconds out of
// a bucket of thirty. A try counts as failed from its beginning, so that tries side by side gain
// nothing. Names count whether or not they are anybody's. Kept in memory: a restart forgives.
//
// Thread rule: the loop thread.
#pragma once

#include "vault/base/clock.h"

#include <cstdint>
#include <map>
#include <string>

namespace holdfast::agent {

constexpr unsigned free_tries = 3;
constexpr std::int64_t name_pause_ms_max = 60'000;
constexpr std::int64_t name_forgotten_ms = 3'600'000;
constexpr std::size_t names_max = 10'000;
constexpr std::int64_t tries_max = 30;
constexpr std::int64_t try_leak_ms = 6'000;

class SignInLimits {
public:
    /// `clock` outlives it; only its steady time is used.
    explicit SignInLimits(const Clock& clock) : clock_(&clock) {}

    /// 0: go on, and the try counts. Else: not yet, and how many milliseconds to wait.
    std::int64_t begin(const std::string& name);
    /// The try that began for `name` was right: it and the ones before are forgotten.
    void succeeded(const std::string& name);

private:
    struct Tries {
        unsigned failed = 0;
        std::int64_t last_ms = 0;
        std::int64_t next_ms = 0;  // Not before.
    };

    std::int64_t now_ms() const { return clock_->steady_ns() / 1'000'000; }
    void leak(std::int64_t now);
    void make_room(std::int64_t now);

    const Clock* clock_;
    std::map<std::string, Tries> names_;
    std::int64_t full_ms_ = 0;  // How long the bucket takes to be empty.
    std::int64_t leaked_ms_ = 0;
};

}  // namespace holdfast::agent
