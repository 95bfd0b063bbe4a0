// Shares on the command line: a custodian's share, as it travels to the node that is to use it.
#pragma once

#include "agent/cli/run_place.h"

#include <string>
#include <vector>

namespace holdfast::agent::cli {

/// In base64, wrapped for the node at `place`. A share of the recovery secret comes in clear, for
/// people, and is wrapped here; one of an envelope comes wrapped already.
/// Errors: NotFound, Invalid (no share), Io, and those of the replicator.
Result<std::string> share_text(const Home& home, RunPlace& place, const std::string& file);

}  // namespace holdfast::agent::cli
