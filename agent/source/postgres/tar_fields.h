// The fields of a tar header: numbers, the checksum, and which paths are taken. Pure functions.
#pragma once

#include "vault/base/bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::agent::postgres {

/// A numeric field: octal digits with spaces or NULs around, or base 256 (first bit set).
/// None: anything else, negative, or over 63 bits.
std::optional<std::uint64_t> tar_number(std::string_view field);

/// A decimal number, all of `text`; a fraction after '.' is left out. None: anything else.
std::optional<std::uint64_t> decimal(std::string_view text);

/// True if the header block carries its own checksum (bytes summed unsigned, or signed as some old
/// programs did).
bool tar_checksum_fits(View block);

/// `path` without "./" before and slashes behind. Errors: Invalid (empty, absolute, with "..", "."
/// or empty names inside, a NUL byte, over path_bytes_max).
Result<std::string> clean_path(std::string_view path);

}  // namespace holdfast::agent::postgres
