// Unfinished: the mark in a folder that a restore is filling, until it is done.
//
// It names the snapshot, so that another try can go on where this one ended, and the boot of the
// machine: what was written before a loss of power may look finished and not be.
#pragma once

#include "vault/ledger/entry.h"

#include <optional>
#include <string>

namespace holdfast::agent {

constexpr const char* unfinished_mark = ".holdfast-restore-unfinished";

struct UnfinishedRestore {
    vault::SnapshotId snapshot;
    bool same_boot = false;  // The machine has not been restarted since.
};

/// What the folder's mark says; none if there is none. Errors: Corrupt (no mark of ours), Denied,
/// Io.
Result<std::optional<UnfinishedRestore>> unfinished_restore(const std::string& folder);

/// Errors: Full, Io.
Result<void> mark_unfinished(const std::string& folder, const vault::SnapshotId& snapshot);

/// Takes the mark away; the folder keeps its time. No mark is no error. Errors: Io.
Result<void> unmark_unfinished(const std::string& folder);

}  // namespace holdfast::agent
