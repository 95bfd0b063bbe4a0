// Owner API: runs of a partner's systems here, as that partner orders and sees them.
//
//     POST /owners/OWNER/runs             {"kind", "system", ...}; 202 and the run
//     GET  /owners/OWNER/runs             those of OWNER's systems, whoever ordered them
//     GET  /owners/OWNER/runs/N[/order|/report]
//     POST /owners/OWNER/runs/N/CALL      as /runs/N/CALL
//
// This node's replicator asks here for whoever holds OWNER's TLS key, and for what the agreement
// allows. Another owner's run is no run under this path. What is ordered here says so: "Camberwick
// Green by link, ordered by root".
#pragma once

#include "agent/main/call.h"

namespace holdfast::agent {

/// `home` and `engine` outlive the router.
void add_owner_routes(replicator::Router& router, const Home& home, Engine& engine);

}  // namespace holdfast::agent
