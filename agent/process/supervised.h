// Supervised: a process that outlives whoever started it, and is found again by its name.
//
//     FOLDER/NAME.pid     locked (flock) as long as the process lives; holds its pid
//     FOLDER/NAME.log     its standard error, and what it starts says there
//
// The lock is taken before the fork and inherited with the open file as descriptor lock_fd, so at
// every moment "the lock is held" is "the process lives": a starter that is killed leaves no
// process that cannot be found, and a reused pid cannot be mistaken. The process is nobody's child:
// it becomes init's, so that it looks the same to its starter and to that one's successor.
//
// The process answers on its standard output once: "ready" and a newline, or "failed: MESSAGE".
// Its environment holds a search path and a language, nothing of ours.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/result.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

constexpr int lock_fd = 3;
constexpr std::size_t answer_bytes_max = 4'096;

struct ProcessPlace {
    std::string folder;
    std::string name;  // agent/config/name.h

    std::string pid_file() const { return folder + "/" + name + ".pid"; }
    std::string log_file() const { return folder + "/" + name + ".log"; }
};

struct ProcessOrder {
    std::vector<std::string> command;  // A program's whole path, and arguments. No secrets here.
    View input;                        // Its whole standard input: secrets go here.
    int answer_ms_max = 60'000;
};

/// Starts the process and waits for its answer; one that is not ready is ended.
/// Errors: Conflict (it runs already), NotFound (no such program), Io (it failed: its own message),
/// Unreachable (no answer in time).
Result<pid_t> start_process(const ProcessPlace& place, const ProcessOrder& order);

/// The process if it lives. Errors: Io.
Result<std::optional<pid_t>> find_process(const ProcessPlace& place);

/// Sends `signal_number`; after `ms_max` SIGKILL. Returns when the process and whatever it left
/// behind with its lock is gone, also if it was gone before, or if somebody has started its
/// successor meanwhile, which goes on. Errors: Io (it cannot be killed).
Result<void> end_process(const ProcessPlace& place, int signal_number, int ms_max);

/// True if the process that runs now ended within `ms_max`. Errors: Io.
Result<bool> wait_for_end(const ProcessPlace& place, int ms_max);

/// The end of the log, as far as it helps a person: its last lines, `bytes_max` at most.
std::string log_tail(const ProcessPlace& place, std::size_t bytes_max = 1'000);

}  // namespace holdfast::agent
