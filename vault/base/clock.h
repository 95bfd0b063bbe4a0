// Clock: the time, as a parameter, so that a test can drive it.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;

class Clock {
public:
    virtual ~Clock() = default;
    /// Milliseconds since 1970 UTC, as this machine claims. May jump.
    virtual std::int64_t wall_ms() const = 0;
    /// Nanoseconds since some fixed moment; never goes back.
    virtual std::int64_t steady_ns() const = 0;
};

/// The machine's own clock.
const Clock& system_clock();

/// "2026-11-22T02:41:07Z" from milliseconds since 1970.
std::string format_time(std::int64_t wall_ms);

}  // namespace holdfast
