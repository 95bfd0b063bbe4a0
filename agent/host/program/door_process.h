// The process that is a door (agent/host/door.h).
#pragma once

#include "agent/host/door.h"

#include <sys/types.h>

namespace holdfast::agent {

/// Listens, writes its port to `port_file`, answers "ready" and serves until it is ended.
/// Errors: Invalid (address), Conflict (port), Denied, Io.
Result<int> run_door(pid_t init, const DoorOrder& order, const std::string& port_file);

}  // namespace holdfast::agent
