// What a person must see and sign for a failover.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run_store.h"

#include <string>

namespace holdfast::agent {

/// {"record": base64, "host", "term", "system", "snapshot_ms", "question", "signed": [names]}
/// Errors: NotFound, Conflict (there is nothing to sign yet).
Result<std::string> order_json(const Home& home, RunStore& store, std::int64_t run);

}  // namespace holdfast::agent
