// Restore: writes what a snapshot has of one source into a folder: a new or empty one, or, where
// `overwrite` says what becomes of what is there, one in use.
//
//   the caller's thread: entries in path order -> folders, links, devices -> batches of pieces
//   workers:             piece -> extents -> chunks -> pwrite; the last piece of a file dresses it
//   the caller's thread: entries again -> later hard links; folders are dressed as they are left
//
// ("Dressed": owner, extended attributes, mode, times, in this order, since each may undo parts of
// the next.) So a folder's time is set when nothing in it changes any more, and nothing but the
// names of files with several links stays in memory.
//
// What it promises:
// 1. Nothing outside the folder is touched, whatever the snapshot says: every step is openat() of
//    one name with O_NOFOLLOW, files are made with O_EXCL, names were checked by the parser.
// 2. Until the end only the caller can enter the folder (mode 0700); not one in use.
// 3. Damage to one chunk costs the bytes in it: they read as zeros, the file is named in
//    `damaged`, and all else is restored.
// 4. Without root, what is not permitted is left out with a warning; set-user-id and set-group-id
//    bits are not set on a file whose owner could not be.
// 5. When it returns without an error, the file system has it on disk (syncfs).
//
// 6. In a folder in use a file is whole before it takes its name, so whoever opens it sees the old
//    one or the new one; one of which the vault has lost bytes does not replace another.
//
// After an error the folder holds a part, which the message says. Memory: two batches a worker,
// each 4 MiB at most, the readers' caches, and about 200 bytes for each file with several links.
#pragma once

#include "agent/restore/overwrite.h"
#include "agent/restore/owner_rules.h"
#include "agent/source/sink.h"
#include "vault/snapshot/tree_reader.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

/// Makes a reader for one worker's own use; called on the caller's thread, once for each worker.
using ChunkReaderFactory = std::function<std::unique_ptr<vault::ChunkReader>()>;

/// Shared with whoever watches: may be read, and `stop` set, at any time from any thread.
struct RestoreProgress {
    std::atomic<std::uint64_t> entries{0};
    std::atomic<std::uint64_t> bytes{0};  // Of content, holes included.
    std::atomic<bool> stop{false};
};

struct RestoreSettings {
    std::string folder;  // Made if absent.
    /// Refuse: the folder must be empty, but for an empty lost+found.
    Overwrite overwrite = Overwrite::Refuse;
    bool in_place = false;  // restore_snapshot(): each source where it came from; no `folder`.
    bool resume = false;    // Goes on with one that did not end, and made all that is there.
    std::vector<std::string> includes;  // vault/base/glob.h; none: all. A folder brings all in it.
    OwnerRules owners;                  // The numbers of the snapshot, unless it says otherwise.
    unsigned workers = 0;               // 0: default_workers().
    RestoreProgress* progress = nullptr;
    /// restore_snapshot(): a streamed log is to be played up to this moment; none: to its end.
    std::optional<std::int64_t> until_ms;
};

/// What was written. Of `damaged` and `warnings` the first restore_notices_max are kept.
struct RestoreFacts {
    std::uint64_t entries = 0;
    std::uint64_t files = 0;
    std::uint64_t folders = 0;
    std::uint64_t bytes = 0;          // Sum of the sizes of the files, later links not counted.
    std::uint64_t kept = 0;           // Of the entries: was there already, and stayed.
    std::uint64_t damaged_paths = 0;  // Not 0: the restore is not whole.
    std::vector<Warning> damaged;     // Which, and what is wrong with each.
    std::vector<Warning> warnings;    // Of one kind only the first path, with how many more.
};

constexpr std::size_t restore_notices_max = 1000;

/// Errors: Conflict (`folder` is there, and not empty but for a lost+found and the mark of an
/// unfinished restore), Io.
Result<void> check_target(const std::string& folder);

/// Restores `tree`, whose reader the caller's thread uses meanwhile.
/// Errors: Conflict (the folder is not empty), Invalid (a pattern, no folder), NotFound (no path
/// matches the patterns), Full, Locked, Unreachable, Io (the target's disk), Interrupted.
Result<RestoreFacts> restore_tree(const vault::TreeReader& tree, const ChunkReaderFactory& readers,
                                  const RestoreSettings& settings);

}  // namespace holdfast::agent
