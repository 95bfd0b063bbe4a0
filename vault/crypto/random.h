// Random: where salts and names come from, as a parameter, so that a golden vault can be made
// again.
#pragma once

#include "vault/base/units.h"

#include <cstdint>
#include <span>

namespace holdfast::vault {

class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    template <class SomeId>
    SomeId id() {
        SomeId out;
        fill(out.digest);
        return out;
    }
};

/// The operating system's random numbers. Safe from any thread.
Random& system_random();

}  // namespace holdfast::vault
