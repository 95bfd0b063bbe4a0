// Child: a process that the loop started, fed, listened to and waits for.
//
// Letting go of a Child kills it (SIGKILL) and calls nothing any more; the loop reaps it. Output
// arrives in pieces as it comes. `exited` comes last, after both outputs have ended, once.
#pragma once

#include "replicator/loop/loop.h"
#include "vault/base/bytes.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::replicator {

struct ChildExit {
    std::int64_t status = 0;  // Exit status, if signal is 0.
    int signal = 0;           // The signal that ended it.
    bool ok() const { return status == 0 && signal == 0; }
};

struct ChildOptions {
    std::vector<std::string> command;                     // Program (found in PATH) and arguments.
    std::optional<std::vector<std::string>> environment;  // "NAME=value"; none: ours.
    std::string folder;                                   // Working directory; empty: ours.
    Buffer input;                                         // Its whole standard input.
    Callback<void(View)> on_output;                       // Standard output; none: discarded.
    Callback<void(View)> on_error_output;                 // Standard error; none: discarded.
    Callback<void(ChildExit)> on_exit;
};

class Child {
public:
    /// Errors: NotFound (no such program), Denied, Io.
    static Result<Child> start(Loop& loop, ChildOptions options);

    int pid() const;
    /// Errors: NotFound (it has ended).
    Result<void> kill(int signal_number);

private:
    struct State;
    struct StateCloser {
        void operator()(State* state) const noexcept;
    };
    explicit Child(State* state) : state_(state) {}

    std::unique_ptr<State, StateCloser> state_;
};

}  // namespace holdfast::replicator
