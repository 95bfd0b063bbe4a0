// Watch: the kernel's own account of what changes on a file system (fanotify).
//
// The whole file system is watched, so no folder can be missed, whatever its depth. Only ext4 and
// XFS are: on a network file system others write unseen, and btrfs does not name its subvolumes'
// files in this way. Needs CAP_SYS_ADMIN, and CAP_DAC_READ_SEARCH to look handles up.
//
// What the kernel does not tell of, and open_files.h stands in for: a file that is written through
// a mapping or by asynchronous I/O, before it is closed.
#pragma once

#include "agent/source/journal/change_set.h"
#include "vault/base/file.h"

#include <string>

namespace holdfast::agent::journal {

class Watch {
public:
    /// Watches the file system of `folder` from now on. Errors: NotFound, Denied, Invalid (a file
    /// system that cannot be watched), Io.
    static Result<Watch> open(const std::string& folder);

    /// Ready to read when there is news.
    int fd() const { return group_.get(); }
    /// The folder, open: whatever is mounted over its path later, this is what is watched.
    int folder() const { return folder_.get(); }

    struct News {
        bool lost = false;          // The kernel's queue overflowed.
        bool folder_moved = false;  // Paths that were looked up may have changed.
        bool more = false;          // The set is full, and there may be more.
    };
    /// Notes all that the kernel has told until now, or as much as fits. Errors: Io.
    Result<News> drain(ChangeSet& changes);

private:
    Watch(Fd folder, Fd group) : folder_(std::move(folder)), group_(std::move(group)) {}

    Fd folder_;
    Fd group_;
    Buffer events_;
};

}  // namespace holdfast::agent::journal
