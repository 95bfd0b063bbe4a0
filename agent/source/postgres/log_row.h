// Log rows: what a server sends on a stream of its log, and what it is told. Pure functions.
#pragma once

#include "vault/base/bytes.h"

#include <cstdint>

namespace holdfast::agent::postgres {

struct LogRow {
    View log;                   // A part of the log; empty: the server is alive.
    std::uint64_t start = 0;    // Of `log`.
    std::uint64_t written = 0;  // As far as the server has written its log.
    bool answer = false;        // It wants a word at once.
};

/// Errors: Corrupt (a row of another kind, or cut short). `log` points into `row`.
Result<LogRow> parse_log_row(View row);

/// "So far it is safe here"; 0: nothing is said of that.
Buffer log_answer(std::uint64_t safe, std::int64_t now_ms);

}  // namespace holdfast::agent::postgres
