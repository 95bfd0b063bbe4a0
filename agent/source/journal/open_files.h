// Open files: the files of a file system that somebody may be writing to just now.
//
// The kernel tells of a write() at once, but of writing through a mapping or by asynchronous I/O
// only when the file is closed. So whatever is open for writing, mapped as shared, or behind a loop
// device counts as changed. Costs about 10 µs a process and 2 µs a descriptor.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::agent::journal {

/// Their handles, as NotedName has them; one may come twice. `device` is stat's. Processes that end
/// meanwhile have closed their files, which the kernel then told. Errors: Io (/proc or /sys cannot
/// be read).
Result<std::vector<std::string>> open_for_writing(std::uint64_t device);

}  // namespace holdfast::agent::journal
