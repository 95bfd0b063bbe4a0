// Transaction: the writer's transaction k, a pure function of (seed, megabytes, k), as statements.
#pragma once

#include "images/demo/epr/database.h"
#include "images/demo/epr/dataset.h"

#include <cstdint>
#include <string>

namespace holdfast::demo {

struct Ledger {
    std::uint64_t seed;
    std::uint64_t megabytes;
    std::uint64_t last;
};
/// Errors: those of Database; NotFound if nothing was loaded.
Result<Ledger> read_ledger(Database& database);

/// Writes transaction k and returns when its COMMIT is acknowledged. A letter's file is durable
/// before its row is: the folder may be ahead of the database, never behind.
/// Errors: Conflict (the ledger does not say k - 1: another writer), Full, Io, Unreachable (it is
/// not known if k was committed; the ledger tells).
Result<void> write_transaction(Database& database, const Dataset& data,
                               const std::string& documents, std::uint64_t k);

}  // namespace holdfast::demo
