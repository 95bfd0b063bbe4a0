// The recovery kit's sheet of partners.
#pragma once

#include "agent/cli/context.h"

#include <string>

namespace holdfast::agent::cli {

/// Writes the partners into the kit at `path` (empty: the node's own), without its passphrase.
int recovery_kit(const Context& context, const std::string& path);

}  // namespace holdfast::agent::cli
