// Dresser: gives restored inodes their owner, extended attributes, mode and times, in this order: a
// change of owner takes the set-user-id bit and capabilities, an ACL changes the mode, and all but
// the times change ctime only.
//
// What is not permitted becomes a warning. Belongs to one thread.
#pragma once

#include "agent/restore/notices.h"
#include "agent/restore/owner_rules.h"

namespace holdfast::agent {

class Dresser {
public:
    /// `notices` outlives it.
    Dresser(OwnerRules owners, Notices& notices) : owners_(std::move(owners)), notices_(&notices) {}

    /// A regular file or a folder that is open.
    void dress(int fd, const vault::Entry& entry);
    /// Any other inode, by its name in an open folder.
    void dress_at(int folder, const std::string& name, const vault::Entry& entry);

private:
    struct Target;

    void dress(const Target& target, const vault::Entry& entry);
    bool set_owner(const Target& target, const vault::Entry& entry);
    void set_xattrs(const Target& target, const vault::Entry& entry);
    void warn(const vault::Entry& entry, const std::string& what, int error);

    OwnerRules owners_;
    Notices* notices_;
};

}  // namespace holdfast::agent
