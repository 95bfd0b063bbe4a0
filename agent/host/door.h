// Door: lets connections from outside into a room, one port each.
//
// A process of its own, outside the room, unprivileged: it listens here, joins the room's network,
// and carries bytes both ways; one side may end before the other. Before the door is opened nothing
// outside listens. It outlives the agent, and refuses once the room has ended.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::agent {

constexpr std::size_t door_connections_max = 1'000;

struct DoorOrder {
    std::string address;          // Where to listen, outside: "127.0.0.1".
    std::uint16_t port = 0;       // 0: any free one.
    std::uint16_t room_port = 0;  // On 127.0.0.1 in the room.
};

/// Opens the door `name` of the room in `folder`; answers the port it listens on. A door that is
/// open stays, and its port is answered.
/// Errors: NotFound (no room), Conflict (the port is taken), Io.
Result<std::uint16_t> open_door(const std::string& folder, const std::string& name,
                                const DoorOrder& order);

/// Closes it and cuts what goes through it. Errors: Io.
Result<void> close_door(const std::string& folder, const std::string& name);

/// Errors: Io.
Result<bool> is_door_open(const std::string& folder, const std::string& name);

}  // namespace holdfast::agent
