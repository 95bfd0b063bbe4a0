// Replicate: what other verbs need of `replicate`.
#pragma once

#include "agent/config/home.h"
#include "vault/base/result.h"

#include <string>
#include <vector>

namespace holdfast::agent::cli {

/// Brings all of the vault to every partner that keeps our data, and waits; a node without partners
/// has nothing to do. Partners whose names are in `without` may fail. Errors: Unreachable (names
/// who lacks it, or the node does not run), Interrupted.
Result<void> bring_to_partners(const Home& home, const std::vector<std::string>& without);

}  // namespace holdfast::agent::cli
