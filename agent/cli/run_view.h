// Run view: a run as it comes from the agent, told on a terminal while it goes on.
#pragma once

#include "agent/cli/context.h"
#include "agent/cli/run_place.h"

#include <string>

namespace holdfast::agent::cli {

/// Shows steps as they end, until the run is over or stands still; answers the exit code. `json` is
/// the run as it was: what is done in it already is not shown again. A link or an agent that is
/// gone for a while does not end it: the run goes on without us.
int follow_run(const Context& context, RunPlace& place, const std::string& json);

/// The whole run on the terminal, or as JSON.
int show_run(const Context& context, const RunPlace& place, const std::string& json);

/// The number of the run. Errors: Corrupt (no run).
Result<std::int64_t> run_number(const std::string& json);

}  // namespace holdfast::agent::cli
