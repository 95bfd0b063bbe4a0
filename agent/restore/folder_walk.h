// FolderWalk: opens folders below a root, name by name and never through a link.
//
// It stays in the folder it opened last, with those above it, so that paths in path order cost one
// openat() for each folder. A path may be of any length. Belongs to one thread.
#pragma once

#include "vault/base/file.h"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent {

/// All up to the last '/', and all behind it.
std::string_view folder_of(std::string_view path);
std::string name_of(std::string_view path);
/// True if `path` lies in `folder`, at whatever depth; all but itself lies in the root "".
bool lies_in(std::string_view path, std::string_view folder);

class FolderWalk {
public:
    /// `root` outlives the walk.
    explicit FolderWalk(int root) : root_(root) {}

    /// The open folder `path`, valid until the next call; -1 with errno if there is none, or if one
    /// on the way is a link. Every name must be one: no "..", nothing empty (then EINVAL).
    int enter(std::string_view path);

private:
    static constexpr std::size_t levels_max = 32;
    struct Level {
        std::size_t path_bytes;  // Of path_.
        Fd fd;
    };
    int top() const { return levels_.empty() ? root_ : levels_.back().fd.get(); }

    int root_;
    std::string path_;
    std::vector<Level> levels_;  // Rising; the last may be any depth below the one before.
};

}  // namespace holdfast::agent
