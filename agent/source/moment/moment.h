// Moment: a folder tree as it was at one moment, while its application goes on writing. For what is
// more than one file that must fit together: a PACS with its index and its images.
//
// What a killed process leaves behind (a snapshot of btrfs or LVM) is named after it, and the next
// of the same kind for the same place removes it.
#pragma once

#include "vault/base/glob.h"
#include "vault/base/result.h"
#include "vault/snapshot/entry.h"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::agent::moment {

class Moment {
public:
    /// Lets go, if end() was not called.
    virtual ~Moment() = default;
    /// Where the tree is to be read.
    virtual const std::string& folder() const = 0;
    /// Names at the tree's root that are the snapshot's own, as patterns.
    virtual std::vector<std::string> own_names() const { return {}; }
    /// Gives an entry that was read here the inode and ctime of its original, by which the next
    /// snapshot will see that a file is unchanged.
    virtual void translate(vault::Entry&) const {}
    /// Lets go. Call once, when all is read. Errors: Full (the snapshot overflowed meanwhile: what
    /// was read of it is worth nothing), Io (something is left behind).
    virtual Result<void> end() = 0;
};

/// A read-only snapshot of the btrfs subvolume that `folder` is in. Subvolumes below the folder are
/// not part of it: each must be excluded. Errors: NotFound, Denied, Invalid (not on btrfs; a
/// subvolume below that no exclude takes out), Full, Io.
Result<std::unique_ptr<Moment>> hold_btrfs(const std::string& folder,
                                           const std::vector<Glob>& excludes);

/// A clone of every file (reflinks: XFS, btrfs), which takes no room but is made file by file: if
/// something changed meanwhile it is made anew, a few times. Errors: NotFound, Denied, Invalid (no
/// reflinks there), Conflict (it changed each time), Full, Io.
Result<std::unique_ptr<Moment>> hold_reflink(const std::string& folder);

/// A snapshot of the LVM volume that `folder` is on, thin or of a fifth of its size, mounted
/// read-only below `scratch`. Needs root and LVM's programs. Errors: NotFound, Invalid (not on
/// LVM), Io (with what LVM says).
Result<std::unique_ptr<Moment>> hold_lvm(const std::string& folder, const std::string& scratch);

}  // namespace holdfast::agent::moment
