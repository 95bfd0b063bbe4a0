// Restore hooks: programs of this node's settings that prove what was restored (RESTORE VERIFYONLY,
// RMAN's validate): a backup that was never restored is a hope.
#pragma once

#include "agent/config/home.h"
#include "vault/snapshot/manifest.h"
#include "vault/vault_reader.h"

#include <string>
#include <vector>

namespace holdfast::agent::cli {

/// Runs the restore_hook of each source that has one, over what was restored below `to`. They are
/// those of this node's settings for the system, never the snapshot's own. Answers the sources that
/// were proved. Errors: NotFound (no settings here, or no hook in them), Io (one failed; with what
/// it said), Unreachable (it took over a day).
Result<std::vector<std::string>> run_restore_hooks(const Home& home,
                                                   const vault::SnapshotRecord& record,
                                                   const vault::Manifest& manifest,
                                                   const std::string& to);

}  // namespace holdfast::agent::cli
