// After a snapshot: the node brings it to the partners at once, if it runs and has any.
#pragma once

#include "agent/config/home.h"

namespace holdfast::agent::cli {

/// Asks the replicator to begin; waits for nothing, and fails nothing: what was not begun now, the
/// replicator begins by itself. Warns on a terminal if the node does not run.
void replicate_soon(const Home& home);

}  // namespace holdfast::agent::cli
