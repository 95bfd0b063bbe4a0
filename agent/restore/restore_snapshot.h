// Restore of a whole snapshot: one source straight into the folder, several into folders of their
// names.
#pragma once

#include "agent/restore/restore.h"
#include "vault/vault_reader.h"

namespace holdfast::agent {

/// Errors: those of the vault (Locked, Corrupt, NotFound, Unreachable) and of restore_tree().
Result<RestoreFacts> restore_snapshot(vault::VaultReader& reader,
                                      const vault::SnapshotRecord& record,
                                      const RestoreSettings& settings);

}  // namespace holdfast::agent
