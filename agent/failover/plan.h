// Plan: the settings by which a run is done: the system's, as they were at its check, and those of
// the runtime on this node.
#pragma once

#include "agent/config/runtime_settings.h"
#include "agent/config/system_settings.h"
#include "agent/failover/step.h"

#include <cstdint>
#include <string>

namespace holdfast::agent {

struct Plan {
    SystemSettings system;
    RuntimeSettings runtime;

    /// Where the runtime listens in its room: the port of the served source's endpoint.
    std::uint16_t port() const;
    bool serves_postgres() const;
};

/// From the run's facts, and the runtime's file. Errors: Invalid, NotFound, Denied (the runtime).
Result<Plan> plan_of(const StepContext& context);

/// What readiness depends on: both files, to the byte. Errors: NotFound, Io.
Result<std::string> plan_hash(const Home& home, const std::string& system_text,
                              const std::string& runtime);

/// A command with this run's places filled in. Errors: Invalid.
Result<Arguments> command_of(const StepContext& context, const Plan& plan, const Arguments& command,
                             const Arguments& postgres_options = {});

}  // namespace holdfast::agent
