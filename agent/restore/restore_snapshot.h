// Restore of a whole snapshot: one source straight into the folder, several into folders of their
// names; or each source in place, where it was copied from.
#pragma once

#include "agent/restore/restore.h"
#include "vault/vault_reader.h"

namespace holdfast::agent {

/// Where each source of the snapshot comes to: a streamed log into the data folder that it belongs
/// to. Errors: Corrupt (an impossible name), Invalid (in
/// place, and not a files source).
Result<std::vector<std::string>> restore_folders(const vault::Manifest& manifest,
                                                 const RestoreSettings& settings);

/// Into an empty folder it leaves a mark until it is done; with `resume` it goes on where one that
/// did not end has left off: what is finished stays, unless the machine was restarted since.
/// A data folder with a streamed log is set up to recover it (agent/source/postgres/recovery.h).
/// Errors: those of the vault (Locked, Corrupt, NotFound, Unreachable) and of restore_tree();
/// Conflict (nothing to resume, or another snapshot's).
Result<RestoreFacts> restore_snapshot(vault::VaultReader& reader,
                                      const vault::SnapshotRecord& record,
                                      const RestoreSettings& settings);

}  // namespace holdfast::agent
