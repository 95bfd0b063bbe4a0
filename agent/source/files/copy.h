// The files source: copies a folder tree into a Sink, with everything that Linux knows of a file.
//
// What it promises:
// 1. Entries come in path order; every type of inode, owners by number and by name, all permission
//    bits, nanosecond times, extended attributes (so ACLs and capabilities too), hard links, holes,
//    names of any bytes.
// 2. No name is followed out of the tree: every step is openat() of one name with O_NOFOLLOW, so
//    whoever changes the tree meanwhile cannot lead the agent elsewhere.
// 3. The content of a file is of one moment, or there is a warning: a file whose size or times
//    changed while it was read is read again, twice at most.
// 4. What cannot be read becomes a warning, and the copy goes on. What vanishes between the listing
//    and the look is counted, no more: it was not there.
// 5. Nothing is written, not even access times where the kernel allows that (O_NOATIME needs the
//    file's owner or root).
//
// What is excluded leaves no trace; a folder that is not entered (another file system, a kernel's
// own file system such as /proc, a cache folder) stays as an empty folder.
//
// Memory: the names of the folders on the way down (16 bytes and the name, each), and about 100
// bytes for each file with several links. Thread rule: blocks; call from a worker.
// Measured on one core, warm: see agent/source/files/scanner.h.
#pragma once

#include "agent/source/journal/change.h"
#include "agent/source/kept_tree.h"
#include "agent/source/sink.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent::files {

/// The [source.files] part of the settings.
struct FilesSettings {
    std::string folder;  // Absolute; a link here is followed, none below it is.
    std::vector<std::string>
        excludes;  // vault/base/glob.h; an excluded folder goes with all in it.
    /// Asked of each regular file; false: as if it were excluded. Empty: all are taken.
    std::function<bool(const std::string& path)> takes;
    bool one_file_system = false;  // Stay on the file system of `folder`.
    bool skip_caches = false;      // Of folders with a CACHEDIR.TAG, take only that file.
    bool drop_cache = false;       // Give large files' pages back to the kernel once they are read.
};

/// A name of a file that has several, and when it last changed in any way.
struct LinkedName {
    std::string path;
    std::int64_t ctime_ns = 0;
};
constexpr std::size_t links_told_max = 10'000;

/// What was met, for progress and for the snapshot.
struct FilesFacts {
    std::uint64_t entries = 0;     // Given to the sink.
    std::uint64_t files = 0;       // Regular files among them.
    std::uint64_t folders = 0;     // And folders.
    std::uint64_t bytes = 0;       // Sum of the sizes of the regular files, each link counted.
    std::uint64_t unchanged = 0;   // Files that the snapshot before had.
    std::uint64_t read_bytes = 0;  // Read from files, what was read again included.
    std::uint64_t excluded = 0;    // Left out by a pattern; what is in a folder is not counted.
    std::uint64_t vanished = 0;
    std::uint64_t changed = 0;     // Changed while they were read, each time.
    std::uint64_t unreadable = 0;  // Missing, or missing in part.
    std::uint64_t warnings = 0;
    /// Of copy_tree(): all names of files that have several, in path order; none if there are more
    /// than links_told_max.
    std::optional<std::vector<LinkedName>> links = std::vector<LinkedName>();
};

/// What the snapshot before tells of a tree.
struct FilesBefore {
    std::uint64_t files = 0;  // As in FilesFacts.
    std::uint64_t folders = 0;
    std::uint64_t excluded = 0;
    std::vector<LinkedName> links;
};

/// Told about five times a second. false: stop the copy. May be empty.
using Progress = std::function<bool(const FilesFacts& so_far)>;

/// Copies the tree below `settings.folder`.
/// Errors: Invalid (settings, no folder), NotFound, Denied, Io (the folder itself cannot be read),
/// Interrupted (stopped by `progress`), the sink's own.
Result<FilesFacts> copy_tree(const FilesSettings& settings, Sink& sink, const Progress& progress);

/// Takes paths out of `changes` that are as before all the same, since they are links. False: the
/// links of the tree are not as before, or a changed file has several names; then only the whole
/// tree tells what belongs together. Errors: as copy_tree().
Result<bool> links_hold(const FilesSettings& settings, const FilesBefore& before,
                        std::vector<journal::Change>& changes);

/// As copy_tree() for a tree of which only `changes` can be other than before (journal.h); the rest
/// is taken from `kept`, unseen. After links_hold(). None: what was given to the sink is worth
/// nothing, since a file with several names was met after all. Errors: as copy_tree(), kept's own.
Result<std::optional<FilesFacts>> copy_changes(const FilesSettings& settings,
                                               const FilesBefore& before,
                                               const std::vector<journal::Change>& changes,
                                               Sink& sink, KeptTree& kept,
                                               const Progress& progress);

}  // namespace holdfast::agent::files
