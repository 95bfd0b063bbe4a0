// What a server tells of itself: over SHOW with mere replication rights, and, where the role may
// log in to a database, the locales of all databases.
#pragma once

#include "agent/source/postgres/connection.h"

#include <string>

namespace holdfast::agent::postgres {

/// One setting's value. Errors: as Connection::query.
Result<std::string> show(Connection& session, const std::string& name);

/// Fills version, system id, timeline, sizes, checksums and settings.
/// Errors: Invalid (a server before 13, or one that answers nonsense), as Connection::query.
Result<void> read_server_facts(Connection& session, PostgresFacts& facts);

/// Fills `databases`, or says in `databases_missing` why that is not possible.
void read_database_facts(const PostgresSettings& settings, PostgresFacts& facts,
                         const Stopped& stopped);

/// A column of the first row as text; empty if there is none.
std::string cell(const PGresult* rows, int row, int column);

}  // namespace holdfast::agent::postgres
