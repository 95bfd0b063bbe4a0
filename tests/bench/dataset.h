// A folder like a small hospital's: letters, table pages and images, a third of the bytes each.
// The same size gives the same bytes, everywhere and always.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::bench {

/// Fills `folder`, which must be new. Errors: Conflict, Full, Io.
Result<void> make_dataset(const std::string& folder, std::uint64_t megabytes);

/// Fills `folder`, which must be new, with `count` sparse files of 4 KiB, a thousand in a folder.
/// Errors: Conflict, Full, Io.
Result<void> make_many_files(const std::string& folder, std::uint64_t count);

}  // namespace holdfast::bench
