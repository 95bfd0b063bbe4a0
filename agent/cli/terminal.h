// Terminal: how verbs talk to people and to pipes.
//
// Results go to stdout, as text or, with --json, as one JSON value. Progress and warnings go to
// stderr; progress only if that is a terminal.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::agent::cli {

/// Documented in docs/operations.md and in the man page.
enum ExitCode { Done = 0, Failed = 1, Usage = 2, DoneWithWarnings = 3 };

/// Prints "holdfast: MESSAGE" to stderr and answers the exit code for it: Usage for Invalid, else
/// Failed.
int fail(const Error& error);

void warn(std::string_view message);

/// What to say when stdout did not take the answer, errno `failed`. If its reader went away
/// ("holdfast … | head") this does not return: the program ends by SIGPIPE, as every filter does.
Error answer_lost(int failed);

/// Another trust's text, made safe for a terminal: control characters become '?'.
std::string printable(std::string_view text);

bool stderr_is_terminal();
bool stdin_is_terminal();

/// "1.4 GiB", "512 B".
std::string human_bytes(std::uint64_t bytes);
/// "3 min 20 s", "1.2 s".
std::string human_duration(std::int64_t ms);
/// "4 min", "2 h", "3 days": how old something is.
std::string human_age(std::int64_t ms);

/// A line on stderr that is drawn again as work goes on: done of all, rate, remaining. Quiet in
/// pipes. One thread.
class ProgressLine {
public:
    explicit ProgressLine(std::string what);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// `all` 0: not known. Draws at most ten times a second.
    void show(std::uint64_t done_bytes, std::uint64_t all_bytes, std::string_view note);

private:
    std::string what_;
    bool on_;
    std::int64_t start_ns_;
    std::int64_t next_ns_ = 0;
};

}  // namespace holdfast::agent::cli
