// Tar: a snapshot, or a part of it, as one stream in the pax format (libarchive).
//
// Paths are as people write them (snapshot_trees.h); the top of a source is ".". Owners by name and
// number, times to the nanosecond, extended attributes, POSIX ACLs, hard links, devices and holes
// are kept, as GNU tar and bsdtar read them. Memory: what the chunk reader keeps, and the names of
// files with several links.
#pragma once

#include "agent/browse/content.h"
#include "agent/browse/snapshot_trees.h"
#include "agent/restore/restore.h"

#include <string_view>

namespace holdfast::agent {

/// Writes what is at `path` ("": all) and below it. What is damaged comes as zeros and is named in
/// the facts; what tar cannot hold (a socket) is left out with a warning.
/// Errors: NotFound (no such path), Interrupted, those of the vault that are no damage, take's own.
Result<RestoreFacts> write_tar(const SnapshotTrees& trees, std::string_view path,
                               const TakeBytes& take, RestoreProgress& progress);

}  // namespace holdfast::agent
