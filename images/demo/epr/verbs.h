// Verbs: what the example clinical system can do. docs: images/demo/README.md.
//
// Each prints its answer on standard output, as text or as one line of JSON, and returns an Error
// if it could not do its work.
#pragma once

#include "images/demo/epr/dataset.h"
#include "vault/base/clock.h"
#include "vault/base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::demo {

struct Place {
    std::string database;   // A libpq conninfo.
    std::string documents;  // The documents folder; empty if it is not looked at.
};

/// Fills an empty database and an empty (or no) folder. All or nothing.
/// Errors: Conflict (one of the two is not empty), those of Database and of files.
Result<void> load(const Dataset& data, const Place& place);

struct WriteOrder {
    std::uint64_t seed;
    Place place;
    std::string log;
    double rate;            // Transactions a second; 0: as fast as they go.
    std::uint64_t count;    // Stops after so many; 0: never.
    std::uint64_t retry_s;  // After a lost connection, tries for so long to go on.
};
/// Writes transactions until SIGTERM or SIGINT, which the caller has not blocked before; each one
/// that is acknowledged is appended to the log.
/// Errors: Unreachable (the connection is lost; the log is whole), Invalid (another seed), Conflict
/// (another writer), those of files.
Result<void> write(const WriteOrder& order, const Clock& clock);

/// Compares what `place` holds with what it must hold after its last transaction. True if equal.
/// Errors: Unreachable (it could not be compared).
Result<bool> prove(const Dataset& data, const Place& place, bool json);

/// Prints a patient's allergies and latest letter; any patient with a letter, if none is given.
/// Errors: NotFound (no such patient), Corrupt (the letter's file is not what its row says).
Result<void> ask(const Place& place, std::optional<std::uint64_t> patient, bool json);

/// Prints what the log acknowledges beyond transaction n.
/// Errors: Invalid (not a writer's log).
Result<void> lost(const std::string& log, std::uint64_t n, bool json);

}  // namespace holdfast::demo
