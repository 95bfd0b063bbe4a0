// Type bits: an entry's type as stat(2) has it.
#pragma once

#include "vault/snapshot/entry.h"

#include <cstdint>

namespace holdfast::vault {

/// S_IFREG, S_IFDIR, …
std::uint32_t type_bits(FileType type);

}  // namespace holdfast::vault
