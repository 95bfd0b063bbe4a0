// StateFile: the replicator's one SQLite file, state/replicator.db, with all its tables.
//
// What rests here is what partners said and what was promised to them: it is durable (synchronous
// FULL) before anybody hears of it. Thread rule: the loop thread.
#pragma once

#include "vault/index/sqlite.h"

#include <memory>
#include <string>

namespace holdfast::replicator {

/// Opens or makes the file at `path`; ":memory:" for tests. Errors: Full, Io, Corrupt.
Result<vault::Database> open_state(const std::string& path);

}  // namespace holdfast::replicator
