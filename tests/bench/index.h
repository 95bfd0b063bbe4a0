// Index: what the chunk index costs at a million chunks and more, whose ids are made up: the data
// would not fit.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::bench {

/// Fills an index at `path`, which must be new, and tells at each power of ten from 100,000 on, and
/// at `count`: the file's bytes, resident memory, and what looking up a known chunk, a new one, and
/// adding one costs. Errors: Conflict, Full, Io.
Result<void> measure_index(const std::string& path, std::uint64_t count);

}  // namespace holdfast::bench
