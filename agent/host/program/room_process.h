// The processes of a room: its parent outside, its first process inside, the runtime.
#pragma once

#include "agent/host/room.h"

#include <sys/types.h>

namespace holdfast::agent {

/// Reads the order from standard input, answers "ready" once the runtime's program has begun, and
/// lives until the runtime ends or SIGTERM tells it to stop it. Answers the runtime's status.
Result<int> run_room();

/// Starts `command` in the room of process `init`, as `user`, and answers its status.
Result<int> enter_room(pid_t init, const std::string& user, const Arguments& command);

/// Puts the query on standard input to the server, prints the answer.
Result<int> ask_server(pid_t init, const RoomQuery& query);

}  // namespace holdfast::agent
