// The command source: the output of a program becomes one file of the snapshot.
//
// For whatever has a dump tool of its own. The program is run without a shell and without a search
// path, with a plain environment, as the user that takes the snapshot. If it ends with anything but
// 0, or takes longer than its time, there is no snapshot: half a dump is none. The end of its
// standard error is told then. Blocking.
#pragma once

#include "agent/source/sink.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::agent::command {

struct OutputSettings {
    std::vector<std::string> command;  // A program's whole path, and arguments.
    std::string file;                  // The name that its output has in the snapshot.
    std::int64_t timeout_ms = 0;
};

struct OutputFacts {
    std::uint64_t bytes = 0;
    std::int64_t took_ms = 0;
};

/// Told as output comes. false: stop.
using Progress = std::function<bool(std::uint64_t bytes)>;

/// Errors: NotFound (no such program), Io (it failed; with what it said), Unreachable (it took too
/// long), Interrupted, those of the sink.
Result<OutputFacts> copy_output(const OutputSettings& settings, Sink& sink,
                                const Progress& progress);

}  // namespace holdfast::agent::command
