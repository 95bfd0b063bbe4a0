// Throttle: keeps work that nobody waits for below a rate of bytes.
#pragma once

#include <cstdint>

namespace holdfast {

class Throttle {
public:
    /// 0: no limit.
    explicit Throttle(std::uint64_t bytes_per_second_max) : rate_(bytes_per_second_max) {}

    /// Waits until these bytes, and all before them, are within the rate.
    void spend(std::uint64_t bytes);

private:
    std::uint64_t rate_;
    std::int64_t start_ns_ = 0;
    std::uint64_t spent_ = 0;
};

}  // namespace holdfast
