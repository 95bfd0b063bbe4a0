// Command: a short process that is waited for.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/result.h"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::agent {

constexpr std::size_t command_output_max = 64 << 10;

struct CommandOrder {
    std::vector<std::string> command;      // A program's whole path, and arguments.
    std::vector<std::string> environment;  // "NAME=VALUE", beside the plain one.
    View input;
    /// Takes standard output as it comes, instead of CommandResult::output. An Error ends the
    /// command, and is the answer.
    std::function<Result<void>(View piece)> on_output;
    int ms_max = 60'000;
};

struct CommandResult {
    int status = 0;          // As a shell tells it: 128 and the number if a signal ended it.
    std::string output;      // Standard output; what is beyond command_output_max is dropped.
    std::string error_tail;  // The end of standard error.
    bool ok() const { return status == 0; }
};

/// Runs the command to its end. Errors: NotFound (no such program), Unreachable (killed: it took
/// longer than `ms_max`), Io, those of `on_output`.
Result<CommandResult> run_command(const CommandOrder& order);

}  // namespace holdfast::agent
