// Disk: what is left of a program's files when the power goes.
//
// It is told every change in the order in which the program made it. A file's bytes last once the
// file is synced; a name, once its folder is. What was not synced a cut may take or leave: all of
// it, none, or some, bytes torn at sectors, while changes of one folder's names last in their
// order. POSIX promises no more, and ext4, XFS and Btrfs keep more than this.
#pragma once

#include "vault/base/bytes.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace holdfast::sim {

/// A file or folder, whatever it is called; 0: none.
using Inode = std::uint64_t;

struct Change {
    enum class Kind {
        Create,      // The file or folder `inode`, not yet named.
        Name,        // `inode` gets the name `name` in `folder`, in place of whatever had it.
        Unname,      // The name goes.
        Rename,      // From `name` in `folder` to `to_name` in `to_folder`, at once.
        Write,       // `data` at `offset`.
        Truncate,    // To `offset` bytes, or up to them with zeros.
        SyncFile,    // Its bytes last.
        SyncFolder,  // Its names last.
        SyncAll,
    };
    Kind kind = Kind::SyncAll;
    Inode inode = 0;
    bool is_folder = false;
    Inode folder = 0;
    std::string name = {};
    Inode to_folder = 0;
    std::string to_name = {};
    std::uint64_t offset = 0;
    Buffer data = {};
};

/// What a cut leaves of what was not synced.
enum class Left { Nothing, Everything, Some };

class Disk {
public:
    static constexpr Inode root = 1;

    Disk() { folders_[root]; }

    void apply(const Change& change);

    /// The files after a cut, by path; folders have a '/' at their end. `Some` asks `random`.
    std::map<std::string, Buffer> after_cut(Left left, std::mt19937_64& random) const;

    /// The whole folder tree `files`, below `folder`, which is made. Errors: Io, Full.
    static Result<void> write_out(const std::map<std::string, Buffer>& files,
                                  const std::string& folder);

private:
    using Names = std::map<std::string, Inode>;
    struct NameChange {  // A name of a folder, and what it names from then on; 0: nothing.
        Inode folder;
        std::string name;
        Inode inode;
    };
    using Step = std::vector<NameChange>;  // One change of names: all of it, or nothing.
    struct File {
        Buffer now;
        Buffer synced;
        std::vector<Change> unsynced;
    };

    void rename(Step step);
    void sync_folder(Inode folder);
    Buffer content_after(const File& file, Left left, std::mt19937_64& random) const;
    void collect(const std::map<Inode, Names>& folders, Inode folder, const std::string& path,
                 Left left, std::mt19937_64& random, std::map<std::string, Buffer>& out) const;

    std::map<Inode, File> files_;
    std::map<Inode, Names> folders_;  // As they last.
    std::vector<Step> unsynced_;      // In order.
};

}  // namespace holdfast::sim
