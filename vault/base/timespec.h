// Timespec: nanoseconds since 1970 as the kernel takes them; before 1970 too.
#pragma once

#include <cstdint>
#include <ctime>

namespace holdfast {

inline struct timespec timespec_of(std::int64_t ns) {
    constexpr std::int64_t second_ns = 1'000'000'000;
    struct timespec out {};
    out.tv_sec = ns / second_ns;
    out.tv_nsec = ns % second_ns;
    if (out.tv_nsec < 0) {
        out.tv_nsec += second_ns;
        --out.tv_sec;
    }
    return out;
}

}  // namespace holdfast
