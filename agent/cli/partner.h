// Partners as people name them: an id, its beginning, or a name.
#pragma once

#include "agent/config/home.h"
#include "vault/base/units.h"

#include <string>

namespace holdfast::agent::cli {

/// A whole id stands for itself, also when nothing runs. Errors: NotFound, Invalid (ambiguous),
/// Unreachable (the node does not run).
Result<TrustId> find_partner(const Home& home, const std::string& text);

}  // namespace holdfast::agent::cli
