// Year: many systems with a snapshot every few minutes and a prune each day, in simulated time.
// Shows whether a snapshot's cost, and the number of objects, stay flat.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::bench {

struct YearSettings {
    std::string folder;  // New; its file system is what is measured.
    unsigned days = 365;
    unsigned systems = 20;
    unsigned minutes = 5;
    unsigned told_each_days = 10;
};

/// Prints a line for each tenth day, or as told. Errors: Conflict, Full, Io.
Result<void> measure_year(const YearSettings& settings);

}  // namespace holdfast::bench
