// Proof: what a comparison of the demo's data with its seed has found.
#pragma once

#include "images/demo/epr/database.h"
#include "images/demo/epr/tables.h"
#include "vault/base/units.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::demo {

constexpr std::size_t differences_named = 10;  // Of one table, or of the folder; all are counted.

/// What differs: the first few in words, all in number.
struct Differences {
    std::uint64_t total = 0;
    std::vector<std::string> named;

    void add(std::string what) {
        if (++total <= differences_named) named.push_back(std::move(what));
    }
    /// What explains the others: it is named first, however many there are.
    void lead(std::string what) {
        ++total;
        named.insert(named.begin(), std::move(what));
    }
};

struct TableProof {
    Table table;
    std::uint64_t rows = 0;
    std::uint64_t rows_expected = 0;
    Digest fingerprint;  // Over all rows in the order of their ids, as COPY prints them.
    Digest fingerprint_expected;
    Differences differences;

    bool equal() const { return differences.total == 0 && fingerprint == fingerprint_expected; }
};

struct FilesProof {
    std::uint64_t expected = 0;
    std::uint64_t right = 0;
    std::uint64_t ahead = 0;       // Letters of transactions beyond n, with the right content.
    std::uint64_t unfinished = 0;  // A letter's temporary file, cut by a crash or a snapshot.
    std::uint64_t bytes = 0;       // Of those that are right.
    Digest fingerprint;            // Over path and content's hash of every expected file.
    Digest fingerprint_expected;
    Differences differences;

    bool equal() const { return differences.total == 0 && fingerprint == fingerprint_expected; }
};

/// Reads one table, row by row. A table that cannot be read is a difference.
/// Errors: Unreachable.
Result<TableProof> prove_table(Database& database, const State& state, Table table);

/// Reads every file of `folder`. Files that cannot be read are differences.
FilesProof prove_files(const State& state, const std::string& folder);

}  // namespace holdfast::demo
