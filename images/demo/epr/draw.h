// Draw: a stream of numbers that is a pure function of (seed, kind, id).
//
// Every row and every file draws from a stream of its own, so that any of them can be made again
// alone and in any order. Integers only: the same bytes on every machine and compiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::demo {

/// What is being drawn; part of the data set's definition: never renumber.
enum class Kind : std::uint64_t {
    Patient = 1,
    Allergy = 2,
    AllergyChange = 3,
    Encounter = 4,
    Observation = 5,
    Note = 6,
    Letter = 7,
    Series = 8,
    Image = 9,
    Numbering = 10,
};

class Draw {
public:
    Draw(std::uint64_t seed, Kind kind, std::uint64_t id)
        : state_(mix(mix(mix(seed) + static_cast<std::uint64_t>(kind)) + id)) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        return mix(state_);
    }
    /// 0 <= answer < n; n must not be 0.
    std::uint64_t below(std::uint64_t n) { return ((next() >> 32) * n) >> 32; }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
    }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <class T>
    const T& pick(std::span<const T> list) {
        return list[below(list.size())];
    }

private:
    /// The finaliser of splitmix64.
    static std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    std::uint64_t state_;
};

}  // namespace holdfast::demo
