// Selection: walks a snapshot's tree and shows a visitor what the patterns choose, folders from
// both sides.
//
// A folder that a pattern matches brings all in it; a path deeper down brings the folders above it,
// which are entered just before it. A leaf of metadata that is damaged is told and passed over.
#pragma once

#include "vault/base/glob.h"
#include "vault/snapshot/tree_reader.h"

#include <atomic>
#include <string>
#include <vector>

namespace holdfast::agent {

class TreeVisitor {
public:
    virtual ~TreeVisitor() = default;
    virtual Result<void> enter(const vault::Entry& folder) = 0;
    /// Anything but a folder. The folders above it were entered, if the snapshot has them.
    virtual Result<void> visit(const vault::Item& item) = 0;
    /// All in the folder was visited.
    virtual Result<void> leave(const vault::Entry& folder) = 0;
    /// Not chosen.
    virtual void pass(const vault::Item& item) = 0;
    /// `entries` entries from `first_path` on cannot be read.
    virtual void lose(const std::string& first_path, std::uint64_t entries, const Error& why) = 0;
};

/// Errors: those of the reader that are no damage, the visitor's, Interrupted (`stop`, may be
/// null).
Result<void> visit_selected(const vault::TreeReader& tree, const std::vector<Glob>& includes,
                            const std::atomic<bool>* stop, TreeVisitor& visitor);

}  // namespace holdfast::agent
