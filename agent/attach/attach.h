// Attach: a snapshot as folders that can be read and written, each served by a holdfast-mount.
//
//     FOLDER/snapshot         its id: prune keeps it while this stands here
//     FOLDER/index.db         where the snapshot's chunks lie
//     FOLDER/overlay/SOURCE   what was written over it; stays until discard()
//     FOLDER/status/SOURCE    the mount's status file
//     FOLDER/mount-SOURCE.*   the process (agent/process/supervised.h)
//     FOLDER/places           one line for each source: its name, a tab, where it is mounted
//
// The processes outlive whoever attached. Attaching again what is attached changes nothing; what
// was attached and died is attached again over the same overlay, so what had been synced is there.
#pragma once

#include "agent/attach/mount_order.h"
#include "vault/vault_reader.h"

#include <set>
#include <string>
#include <vector>

namespace holdfast::agent {

struct AttachSettings {
    std::string folder;            // Made; for this attachment alone.
    std::string store;             // The folder of the vault's objects.
    std::string place;             // Where the sources appear: below it by their names,
    bool single_at_place = false;  // or, if there is only one, at this folder itself.
    bool writable = true;
    /// The reader's keys are a release's: of the segments that the snapshot needs, and no others of
    /// the packs that it stands on.
    bool released = false;
    std::optional<Owner> owner;
};

struct AttachedSource {
    std::string name;
    std::string place;
};

/// Says that `folder` is an attachment of this snapshot, made or to be made: from then on prune
/// keeps its packs. attach_snapshot() says so itself; whoever attaches from a vault that may be
/// pruned says it, and reads the snapshot's record after that, under Vault::lock_commits().
/// Errors: Full, Io.
Result<void> mark_attached(const std::string& folder, const vault::SnapshotId& snapshot);

/// Attaches all sources. `reader` is over settings.store, with an index of its own (index.db).
/// Errors: Locked, NotFound, Corrupt (the snapshot), Conflict (a folder that is not empty), Denied
/// (no right to mount), Io, Full; then nothing of it is left mounted.
Result<std::vector<AttachedSource>> attach_snapshot(vault::VaultReader& reader,
                                                    const vault::SnapshotRecord& record,
                                                    const AttachSettings& settings);

/// The snapshots of all attachments whose folders lie in `folders`, mounted now or not.
/// Errors: Io, Corrupt.
Result<std::set<vault::SnapshotId>> attached_snapshots(const std::string& folders);

/// The path of the index for a VaultReader that attach_snapshot() is given.
std::string attach_index(const std::string& folder);

/// What is said to be attached there; none if nothing is. Errors: Io, Corrupt.
Result<std::vector<AttachedSource>> attached_sources(const std::string& folder);

/// True if every source's process lives and its mount is there. Errors: Io.
Result<bool> is_attached(const std::string& folder);

/// Syncs and unmounts all; the overlay stays. Errors: Io (named; what could be unmounted is).
Result<void> detach(const std::string& folder);

/// Removes an attachment that is detached, with all that was written to it. Errors: Conflict (it is
/// attached), Io.
Result<void> discard(const std::string& folder);

/// True if a file system is mounted at just this folder. Errors: Io.
Result<bool> is_mount_point(const std::string& path);

/// The type of the file system that is mounted at just this folder, as mount(8) shows it; none if
/// none is. Errors: Io.
Result<std::optional<std::string>> mounted_type(const std::string& path);

/// The type of all mounts of ours.
constexpr std::string_view our_mount_type = "fuse.holdfast";

}  // namespace holdfast::agent
