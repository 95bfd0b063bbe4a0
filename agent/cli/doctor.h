// Doctor: looks for what would keep this node from working, one finding a line.
#pragma once

#include "agent/cli/context.h"

namespace holdfast::agent::cli {

/// Answers the exit code: Done, DoneWithWarnings, or Failed if something would not work.
int doctor(const Context& context);

}  // namespace holdfast::agent::cli
