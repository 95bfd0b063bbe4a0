// Opening what lies in an open folder, never through a link.
#pragma once

#include "vault/base/file.h"

namespace holdfast::agent::files {

/// `failed`: 0 or an errno.
struct Opened {
    Fd fd;
    int failed = 0;
};

/// A folder to list.
Opened open_folder(int folder, const char* name);

/// A regular file to read, without touching its access time where that is allowed. A pipe that took
/// the file's place does not block.
Opened open_regular(int folder, const char* name);

/// True for the kernel's own file systems (proc, sysfs, cgroup, ...): they hold nothing to keep.
bool is_kernel_file_system(int fd);

}  // namespace holdfast::agent::files
