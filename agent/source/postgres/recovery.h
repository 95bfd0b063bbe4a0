// Recovery: lets a restored copy bring in the log that was streamed after it.
//
// PostgreSQL's own way, an archive recovery: recovery.signal, and a restore_command that copies log
// files from a folder. It goes to the end of the log, or to a moment, and then opens a timeline of
// its own.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::agent::postgres {

/// The command that copies a file from `folder`, which may be relative to the data folder.
/// Errors: Invalid (a path that a shell would not take as it is).
Result<std::string> restore_command(const std::string& folder);

/// "2026-11-28 02:50:00.123+00".
std::string recovery_time(std::int64_t time_ms);

/// Writes recovery.signal, and settings at the end of postgresql.auto.conf, both the data folder's
/// owner's. `until_ms`: the moment to stop at; none: all of the log. Again gives the same.
/// Errors: Invalid (no data folder, a path), Denied, Full, Io.
Result<void> set_up_recovery(const std::string& data_dir, const std::string& folder,
                             const std::optional<std::int64_t>& until_ms);

}  // namespace holdfast::agent::postgres
