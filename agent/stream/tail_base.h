// Tail base: the last snapshot of a streamed system, as the node remembers it beside the vault
// (state/stream/SYSTEM). What stands there the vault has too, but sealed: a node that is locked
// could not read it.
#pragma once

#include "agent/backup/backup.h"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

struct TailBase {
    vault::SnapshotId snapshot;
    std::vector<vault::SourceInfo> sources;  // Without their trees, in the manifest's order.
};

/// The settings of the source whose log is streamed, if the system has one.
const SourceSettings* streamed_source(const SystemSettings& system);

/// What `taken` is for the tails to come. Does nothing for a system that streams none.
/// Errors: Full, Io.
Result<void> remember_base(const std::string& state, const SystemSettings& system,
                           const BackupResult& taken);

/// Errors: NotFound (none yet), Corrupt, Io.
Result<TailBase> remembered_base(const std::string& state, const std::string& system);

/// What the facts of a copied cluster say. Errors: Corrupt.
struct ClusterPlace {
    std::string system_id;
    std::uint32_t timeline = 0;
    std::uint64_t stop_lsn = 0;
};
Result<ClusterPlace> cluster_place(const TailBase& base, const std::string& source);

}  // namespace holdfast::agent
