// Files that have no size until they are read: those of /proc.
#pragma once

#include "vault/base/result.h"

#include <string>

namespace holdfast::agent {

constexpr std::size_t proc_file_bytes_max = 64 << 20;

/// All of `path`. Errors: NotFound, Denied, Invalid (over proc_file_bytes_max), Io.
Result<std::string> read_proc_file(const std::string& path);

/// Another one after each start of the machine. Errors: Io.
Result<std::string> boot_id();

}  // namespace holdfast::agent
