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

#include "agent/source/sink.h"

#include <cstdint>
#include <functional>
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
};

/// Told about five times a second. false: stop the copy. May be empty.
using Progress = std::function<bool(const FilesFacts& so_far)>;

/// Copies the tree below `settings.folder`.
/// Errors: Invalid (settings, no folder), NotFound, Denied, Io (the folder itself cannot be read),
/// Interrupted (stopped by `progress`), the sink's own.
Result<FilesFacts> copy_tree(const FilesSettings& settings, Sink& sink, const Progress& progress);

}  // namespace holdfast::agent::files
