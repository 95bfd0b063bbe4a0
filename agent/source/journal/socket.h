// Socket: where the journal of a system listens, and how it is reached.
#pragma once

#include "vault/base/file.h"

#include <string>

namespace holdfast::agent::journal {

/// RUN/journal-SYSTEM.sock
std::string socket_path(const std::string& run_folder, const std::string& system);

/// Errors: Conflict (another process listens there), Invalid (too long for a socket), Io.
Result<Fd> listen_at(const std::string& path);

/// Errors: Unreachable (nobody listens there), Invalid, Io.
Result<Fd> connect_to(const std::string& path);

/// Whoever does not read or write for so long is given up.
Result<void> limit_waiting(const Fd& socket, int seconds);

}  // namespace holdfast::agent::journal
