// Control client: asks the agent of this node, over its socket HOME/run/agent.sock.
//
// The socket speaks HTTP and JSON (docs/control-api.md); `curl --unix-socket` is the debugger.
// Blocks; belongs to one thread.
#pragma once

#include "vault/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace holdfast::agent {

/// HOME/run/agent.sock
std::string control_socket(const std::string& run_folder);

class ControlClient {
public:
    /// `run_folder` is Home::run. Errors: Unreachable (no agent runs: says what to do), Io.
    static Result<ControlClient> open(const std::string& run_folder);
    ControlClient(ControlClient&&) noexcept;
    ~ControlClient();

    /// The answer's body. Errors: what the agent refused with, under its code; Unreachable.
    Result<std::string> get(const std::string& path);
    Result<std::string> post(const std::string& path, std::string_view json);

private:
    struct State;
    explicit ControlClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace holdfast::agent
