// Long run: a node's life from a seed, in which calls fail and the power goes, held against the
// plain map of what must be there.
#pragma once

#include "tests/sim/trial.h"

namespace holdfast::sim {

struct LongRun {
    std::uint64_t steps = 0;
    std::uint64_t snapshots = 0;  // Committed, whatever became of them.
    std::uint64_t repaired = 0;   // Objects.
    Counts counts;
    Problems problems;
};

/// The same seed lives the same life, as far as threads let it.
LongRun live(std::uint64_t seed, unsigned steps);

}  // namespace holdfast::sim
