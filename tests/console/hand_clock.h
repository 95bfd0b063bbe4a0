// A clock that a test moves by hand.
#pragma once

#include "vault/base/clock.h"

namespace holdfast::test {

class HandClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return now_ms; }
    std::int64_t steady_ns() const override { return now_ms * 1'000'000; }
    std::int64_t now_ms = 1'790'000'000'000;
};

}  // namespace holdfast::test
