// The SQLite source: one database file, of one moment, while its application goes on writing.
//
// SQLite's own backup takes a copy into a passing file, page by page at the same places; what comes
// into the snapshot is that copy, cut into pages, so that an unchanged page is not stored again.
// The copy is asked whether it is sound (PRAGMA quick_check); if not, that is a warning, since what
// there is is better kept. Its owner, mode and times are those of the database. Blocking.
#pragma once

#include "agent/source/sink.h"

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::agent::sqlite {

struct DatabaseSettings {
    std::string path;     // Absolute; a link is followed.
    std::string scratch;  // A folder for the passing copy, which needs as much room again.
};

struct DatabaseFacts {
    std::uint64_t bytes = 0;
    std::uint64_t page_bytes = 0;
    bool sound = false;
};

/// Told as pages are read: bytes done, and of all. false: stop.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t all)>;

/// Errors: NotFound, Corrupt (no SQLite database, or encrypted), Conflict (locked for a minute),
/// Full (no room for the copy), Io, Interrupted, those of the sink.
Result<DatabaseFacts> copy_database(const DatabaseSettings& settings, Sink& sink,
                                    const Progress& progress);

}  // namespace holdfast::agent::sqlite
