// Keys that are the same in every run, so that a seed made with them stays valid.
#pragma once

#include "vault/crypto/keys.h"

namespace holdfast::fuzz {

/// 0, 1, 2, … without end.
class CountingRandom final : public vault::Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (std::uint8_t& byte : out) byte = next_++;
    }

private:
    std::uint8_t next_ = 0;
};

inline vault::SigningKey fixed_signing_key() {
    CountingRandom random;
    return vault::SigningKey::make(random);
}

inline vault::BoxKey fixed_box_key() {
    CountingRandom random;
    return vault::BoxKey::make(random);
}

}  // namespace holdfast::fuzz
