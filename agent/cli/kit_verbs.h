// What else stands under recovery: the kit's sheet of partners, and unlocking.
#pragma once

#include "agent/cli/context.h"

#include <string>

namespace holdfast::agent::cli {

/// Writes the partners into the kit at `path` (empty: the node's own), without its passphrase.
int recovery_kit(const Context& context, const std::string& path);

/// Adds `unlock` to the group `recovery`.
void add_unlock_verb(Command recovery, Context& context);

}  // namespace holdfast::agent::cli
