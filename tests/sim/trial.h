// Trial: one step of a node, tried with a fault at every call it makes, and with the power gone
// after every change it makes.
//
// However it went, what was there before must be there, nothing half done may be seen, and the step
// must succeed when it is tried again.
#pragma once

#include "tests/sim/calls.h"
#include "tests/sim/disk.h"
#include "tests/sim/lab.h"

#include <functional>
#include <string>

namespace holdfast::sim {

struct Step {
    std::string name;
    std::function<Result<void>()> run;  // In the lab's folder.
    /// Looks at the lab when the step may have been done, or not, or in part.
    std::function<Problems()> between;
    /// When it has been done, perhaps twice.
    std::function<Problems()> after;
};

struct Counts {
    std::uint64_t faults = 0;  // Calls that were struck.
    std::uint64_t cuts = 0;    // Different disks that a loss of power left.

    Counts& operator+=(const Counts& other) {
        faults += other.faults;
        cuts += other.cuts;
        return *this;
    }
};

struct Outcome {
    Counts counts;
    Problems problems;  // With the step, and where it was struck. At most problems_max.
};

constexpr std::size_t problems_max = 20;

/// Each fault that there is, at each call; with HOLDFAST_SIM_STRIDE=N in the environment, at each
/// N-th. The lab's folder is as it was before, in the end.
Outcome try_faults(const Lab& lab, const Step& step);

/// A cut after each change that the step makes, or each N-th; `seed` decides what a cut that leaves
/// some leaves.
Outcome try_cuts(const Lab& lab, const Step& step, std::uint64_t seed);

/// Puts `files` where the lab's folder is.
void put_in_place(const std::map<std::string, Buffer>& files, const Lab& lab);

/// All in the lab's folder, without SQLite's shared memory.
std::map<std::string, Buffer> take_image(const Lab& lab);

}  // namespace holdfast::sim
