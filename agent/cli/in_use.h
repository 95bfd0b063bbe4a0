// In use: the snapshots that something on this node stands on, whatever the rules say.
#pragma once

#include "agent/config/home.h"
#include "vault/vault_reader.h"

#include <map>
#include <string>

namespace holdfast::agent::cli {

/// Those of `reader` that are mounted, or that a run has chosen or asked for, with what uses each:
/// "mounted", "run 3". Errors: Io, Corrupt.
Result<std::map<vault::SnapshotId, std::string>> snapshots_in_use(const Home& home,
                                                                  const vault::VaultReader& reader);

}  // namespace holdfast::agent::cli
