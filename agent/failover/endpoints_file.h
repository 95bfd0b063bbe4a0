// Endpoints file: where systems that run here are reached on this machine, for the replicator,
// which lets the owner's relay through to them (its format: replicator/relay/endpoint_list.h).
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run.h"

namespace holdfast::agent {

/// Errors: Full, Io.
Result<void> write_endpoints(const Home& home, const Run& run);
/// Errors: Io.
Result<void> remove_endpoints(const Home& home, const Run& run);

}  // namespace holdfast::agent
