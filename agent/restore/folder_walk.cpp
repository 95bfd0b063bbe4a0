#include "agent/restore/folder_walk.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::agent {

std::string_view folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0.
}

bool lies_in(std::string_view path, std::string_view folder) {
    if (folder.empty()) return !path.empty();
    return path.size() > folder.size() && path[folder.size()] == '/' && path.starts_with(folder);
}

int FolderWalk::enter(std::string_view path) {
    while (!levels_.empty()) {
        const auto here = std::string_view(path_).substr(0, levels_.back().path_bytes);
        if (path == here || lies_in(path, here)) break;
        levels_.pop_back();
    }
    path_.resize(levels_.empty() ? 0 : levels_.back().path_bytes);
    while (path_.size() < path.size()) {
        const std::size_t start = path_.empty() ? 0 : path_.size() + 1;
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string name(path.substr(start, end - start));
        if (name.empty() || name == "." || name == "..") return errno = EINVAL, -1;
        Fd next(openat(top(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) return -1;
        path_.assign(path.substr(0, end));
        if (levels_.size() == levels_max) levels_.pop_back();
        levels_.push_back({end, std::move(next)});
    }
    return top();
}

}  // namespace holdfast::agent
