// Lock files: processes of one machine take turns.
#pragma once

#include "vault/base/file.h"

#include <string>

namespace holdfast {

/// Waits until no other process has the lock of this open file; it ends with the descriptor.
/// Errors: Io.
Result<void> take_lock(const Fd& fd, const std::string& path);

/// Waits until no other process has the lock file `path`, which is made; the lock ends with the
/// descriptor. Errors: Full, Io.
Result<Fd> wait_for_lock(const std::string& path);

}  // namespace holdfast
