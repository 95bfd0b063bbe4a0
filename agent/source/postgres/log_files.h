// Log files: how a cluster's streamed log lies in a snapshot and beside what is restored of it.
#pragma once

#include <string>

namespace holdfast::agent::postgres {

/// The kind of a snapshot's source that is a log (agent/stream/tail.h).
constexpr const char* log_kind = "postgres-log";

/// What the log of a source is called.
inline std::string log_source_name(const std::string& source) {
    return source + ".wal";
}

/// Where a restore puts it, in the data folder.
constexpr const char* log_folder = "holdfast_wal";

}  // namespace holdfast::agent::postgres
