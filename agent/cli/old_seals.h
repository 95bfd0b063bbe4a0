// Old seals: what a renewal of the recovery key left, since something might still have read by it.
#pragma once

#include "agent/config/home.h"
#include "vault/vault.h"

namespace holdfast::agent::cli {

/// Removes wrapped keys that no roster names any more, unless a process, a mount or a run on this
/// node may still read by them. True: there are none left. Errors: Corrupt (they are needed after
/// all), Io.
Result<bool> remove_old_seals(const Home& home, vault::Vault& vault);

}  // namespace holdfast::agent::cli
