// Simulate: what a system's [keep] rules come to after a year of snapshots, before there is one.
#pragma once

#include "agent/prune/judge.h"

#include <cstdint>
#include <vector>

namespace holdfast::agent {

struct Simulation {
    std::uint64_t taken = 0;
    std::uint64_t most = 0;     // So many were there at once, just before a prune.
    std::vector<Verdict> kept;  // At the end, oldest first.
};

/// A snapshot each `every_ms` (at least a minute) for 365 days up to `now_ms`, and a prune each
/// day.
Simulation simulate_year(const KeepSettings& rules, std::int64_t every_ms, std::int64_t now_ms);

}  // namespace holdfast::agent
