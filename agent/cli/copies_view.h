// Copies view: where a system's newest snapshot stands, line by line.
#pragma once

#include "vault/base/json.h"

#include <cstdint>

namespace holdfast::agent::cli {

/// `system` is one of the agent's GET /status (docs/control-api.md).
void print_copies(const Json& system, std::int64_t now_ms);

}  // namespace holdfast::agent::cli
