// Mount: serves one snapshot as a file system, until it is unmounted or told to stop.
//
// Writes go to an overlay folder by blocks of 4 KiB; the snapshot is never changed. The same
// overlay can be mounted again over the same snapshot, after a crash too: what a program had
// synced is there (file_system.h has the promises, overlay.h the format).
#pragma once

#include "agent/mount/tree.h"
#include "vault/base/result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace holdfast::agent {

/// Takes one line, without its end. Called from any thread.
using Log = std::function<void(std::string_view)>;

struct MountSettings {
    std::string folder;             // Where to mount; must exist.
    std::string overlay;            // Where writes go; empty mounts read-only.
    std::string snapshot_id;        // The overlay is refused under any other.
    std::string name = "holdfast";  // As shown by mount(8).
    bool allow_other = false;       // Whether users other than this process' may enter.
    unsigned threads = 4;
    unsigned flush_ms = 5000;  // Unsynced writes are synced this often; 0: only when asked.
    std::uint64_t compact_bytes = 1 << 20;  // The journal is rewritten above this, and twice
                                            // what its last rewriting left.
    int ready_fd = -1;        // Gets "ready\n" once the mount answers, then is closed.
    std::string status_file;  // Replaced about each second; empty: none.
    Log log;                  // Empty: standard error.
};

struct MountStatus {
    std::uint64_t nodes = 0;
    std::uint64_t bytes_fetched = 0;  // From the snapshot,
    std::uint64_t bytes_read = 0;     // in all to programs,
    std::uint64_t bytes_written = 0;  // and from them.
    std::uint64_t dirty_blocks = 0;   // Of 4 KiB, in the overlay.
    std::uint64_t syncs = 0;
    std::uint64_t journal_bytes = 0;
    std::uint64_t lower_failures = 0;  // Reads that the snapshot could not answer.
};

/// Blocks until the folder is unmounted or the process gets SIGTERM, SIGINT or SIGHUP. All writes
/// are then synced. Must be called from the main thread; answers the exit status for the process:
/// 0, or 1 if the last sync failed (what was not synced before is lost).
/// Errors: Invalid, Denied, Conflict (the overlay: see Overlay::open), Corrupt, Io, Full.
Result<int> serve_mount(const Tree& lower, const MountSettings& settings);

/// Reads a `status_file`. Errors: NotFound, Io, Corrupt.
Result<MountStatus> read_mount_status(const std::string& path);

}  // namespace holdfast::agent
