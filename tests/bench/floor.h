// Floor: what a snapshot of a folder costs at the least: each primitive once over the same bytes,
// with nothing between them, on so many threads. No index, no deduplication, no metadata.
//
// All of the folder is held in memory, sometimes twice. The files are read once before, so reading
// is from the page cache.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::bench {

struct Stage {
    std::string name;
    double seconds = 0;
    std::uint64_t bytes = 0;  // That went into it.
};

/// Times the stages over `folder`; packs are written to `scratch`, a folder, and removed again.
/// Errors: NotFound, Full, Io, Invalid (a file over 4 GiB).
Result<std::vector<Stage>> measure_floor(const std::string& folder, const std::string& scratch,
                                         unsigned threads);

}  // namespace holdfast::bench
