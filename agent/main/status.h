// Status: what this node keeps and runs, and how far each system is ready.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run_store.h"
#include "vault/base/clock.h"

#include <string>

namespace holdfast::agent {

/// {"trust", "name", "node", "systems": [{"name", "title", "supplier", "snapshot", "snapshot_ms",
///  "readiness": "never drilled" | "ready" | "stale" | "broken", "drilled_ms", "drill", "holder",
///  "runs_here", "endpoints", "copies", "relays", "unknown"}], "hosted"} (docs/control-api.md).
///  Errors: those of opening the vault.
Result<std::string> status_json(const Home& home, const Clock& clock, RunStore& store);

}  // namespace holdfast::agent
