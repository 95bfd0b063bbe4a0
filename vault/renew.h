// Renew: wraps all that opens a vault under another recovery key, beside what there is.
//
//   each domain: a new opening key, wrapped with the naming secret for the new recovery key
//   each epoch:  its two keys, wrapped for that opening key and the nodes
//
// Packs stay as they are: what seals chunks does not change, only who can get at it. Nothing counts
// before a roster names the seal; then everything of other seals can go. A run that was cut off is
// followed by another with the same seal, which does what is missing.
#pragma once

#include "vault/vault.h"

#include <cstdint>
#include <string>

namespace holdfast::vault {

struct Renewed {
    std::uint64_t domains = 0;  // Done now.
    std::uint64_t epochs = 0;
};

/// `before` is the recovery key of the roster in force; lock_keys() is held. Errors: Denied
/// (another key), Corrupt (a domain's record, or an epoch that does not open: then nothing may be
/// relied on), Full, Io.
Result<Renewed> renew_keys(Vault& vault, const BoxKey& before, const UnderRecovery& under,
                           std::int64_t now_ms, Random& random);

/// True if there are domain records or epochs of other seals than the roster's. Errors: Io.
Result<bool> has_other_seals(Vault& vault);

/// Removes what is of other seals than the roster's, here and among the key files; lock_keys() is
/// held. Errors: Corrupt (an epoch in force is missing: then nothing was removed), Io.
Result<void> remove_other_seals(Vault& vault);

}  // namespace holdfast::vault
