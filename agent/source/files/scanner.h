// Scanner: walks a folder tree in path order and gives each entry to the sink.
//
//   folder: look, open, list, sort -> each name: look -> exclude?
//     regular: a later link? -> unchanged? -> open, read, xattrs
//     folder:  open, xattrs -> goes on in it
//     other:   link target, xattrs
//
// Depth first with an own stack, so a deep tree costs memory, not the thread's stack. Folders stay
// open on the way down, folders_open_max of them; one above is opened again from the root, name by
// name, and must be the same inode.
//
// What costs is the kernel: one statx() a file. It is not asked for xattrs, nor to open a file,
// before the sink has said that the file changed.
//
// Measured on one core of a virtual machine, warm, ext4, all files unchanged: 830,000 files for
// each second of processor time, four fifths of it in statx().
#pragma once

#include "agent/source/files/content.h"
#include "agent/source/files/hard_links.h"
#include "agent/source/files/names.h"
#include "vault/base/file.h"
#include "vault/base/glob.h"

#include <string>
#include <vector>

namespace holdfast::agent::files {

class Scanner {
public:
    Scanner(const FilesSettings& settings, std::vector<Glob> excludes, Sink& sink,
            const Progress& progress)
        : settings_(&settings),
          excludes_(std::move(excludes)),
          sink_(&sink),
          ticker_(progress),
          content_(sink, owners_, ticker_, settings.drop_cache) {}

    /// Errors: as copy_tree().
    Result<FilesFacts> run(Fd root);
    /// Errors: as copy_changes().
    Result<std::optional<FilesFacts>> run_changes(Fd root, const FilesBefore& before,
                                                  const std::vector<journal::Change>& changes,
                                                  KeptTree& kept);

private:
    struct Folder {
        Fd fd;  // Empty while too many others are open.
        InodeKey inode;
        Names names;
        std::size_t next = 0;        // In names.
        std::size_t path_bytes = 0;  // Of path_, which starts with this folder's path.
    };
    enum class Seen {
        Added,
        LeftOut,  // With a warning.
        Vanished,
        Replaced,  // By another inode, since the look: look again.
    };

    Result<Status> add_root(int root);

    // changes.cpp: from change to change, instead of from name to name.
    Result<void> visit_change(const journal::Change& change, KeptTree& kept);
    bool open_parent(const std::string& path);
    bool open_folders(const std::string& folder);
    bool excluded_above(const std::string& path) const;

    // scanner.cpp: where the walk is.
    void enter(Fd fd, const Status& status);
    Result<void> step();
    bool reopen(Folder& folder);
    Result<void> visit(int folder, const char* name);

    // visit.cpp: what one name becomes. The entry is filled from `status` already.
    Result<Seen> visit_inode(int folder, const char* name, const Status& status);
    Result<Seen> visit_regular(int folder, const char* name, const Status& status);
    Result<Seen> visit_other(int folder, const char* name);
    Result<Seen> visit_folder(int folder, const char* name, const Status& status);
    Result<Seen> read_regular(int fd);
    bool stays_empty(int fd, const Status& status);
    bool read_target(int folder, const char* name);
    void read_name_xattrs(int folder, const char* name);
    Result<void> add(ContentHandle content);
    void count_entry();
    void tell_link(const Status& status);
    Seen unreadable(int error);
    void warn(std::string what);

    const FilesSettings* settings_;
    const std::vector<Glob> excludes_;
    Sink* sink_;
    Ticker ticker_;
    Owners owners_;
    ContentReader content_;
    HardLinks links_;
    FilesFacts facts_;
    std::vector<Folder> stack_;
    std::string path_;    // Of what is being visited.
    vault::Entry entry_;  // The same; kept so that its strings keep their memory.

    // Of run_changes() alone.
    bool changes_only_ = false;
    bool deep_ = true;  // Goes on in a folder that is visited.
    bool links_met_ = false;
    std::string open_folder_;  // The path of the last of stack_.
};

}  // namespace holdfast::agent::files
