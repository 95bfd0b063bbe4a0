// Contents for the tests of vault/chunk; equal calls give equal bytes.
#pragma once

#include "vault/base/bytes.h"
#include "vault/chunk/chunker.h"

#include <cstdint>
#include <random>

namespace holdfast::vault::material {

inline Buffer random_bytes(std::size_t n, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Buffer bytes(n);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    return bytes;
}

inline Buffer text(std::size_t n) {
    static constexpr std::string_view words[] = {"patient ", "ward ", "stable ", "plan ",
                                                 "review "};
    std::mt19937_64 random(7);
    Buffer bytes;
    while (bytes.size() < n) {
        for (const char c : words[random() % 5]) bytes.push_back(static_cast<std::uint8_t>(c));
        bytes.push_back(static_cast<std::uint8_t>('0' + random() % 10));
    }
    bytes.resize(n);
    return bytes;
}

/// 12-bit samples on a slope, with four bits of noise, behind `header` zero bytes.
inline Buffer image(std::size_t n, std::size_t header) {
    std::mt19937_64 random(11);
    Buffer bytes(header);
    for (std::uint64_t i = 0; bytes.size() < n; ++i) {
        const std::uint64_t sample = 100 + i / 64 % 3000 + random() % 16;
        bytes.push_back(static_cast<std::uint8_t>(sample));
        bytes.push_back(static_cast<std::uint8_t>(sample >> 8));
    }
    bytes.resize(n);
    return bytes;
}

inline GearTable gear_table() {
    std::mt19937_64 random(3);
    GearTable table;
    for (auto& weight : table) weight = random();
    return table;
}

}  // namespace holdfast::vault::material
