// The control socket's routes (docs/control-api.md), but for those of the two desks.
//
// Whoever may open the socket may ask; who may approve is told by signatures alone.
#pragma once

#include "agent/failover/engine.h"
#include "replicator/http/router.h"

namespace holdfast::agent {

/// `home`, `clock` and `engine` outlive the router.
replicator::Router control_routes(const Home& home, const Clock& clock, Engine& engine);

}  // namespace holdfast::agent
