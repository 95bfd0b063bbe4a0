// Scanner over changes: each is looked at where it is, and what lies between is kept, unseen.
#include "agent/source/files/open.h"
#include "agent/source/files/scanner.h"

#include <cerrno>

namespace holdfast::agent::files {
namespace {

/// The folder that `path` lies in; "" is the root.
std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool is_gone(int error) {
    return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

}  // namespace

Result<std::optional<FilesFacts>> Scanner::run_changes(Fd root, const FilesBefore& before,
                                                       const std::vector<journal::Change>& changes,
                                                       KeptTree& kept) {
    changes_only_ = true;
    facts_.files = before.files;
    facts_.folders = before.folders;
    const Status status = HF_TRY(add_root(root.get()));
    const Passed old_root = HF_TRY(kept.pass_over("", false));
    facts_.folders -= old_root.folders;
    stack_.push_back({std::move(root), inode_key(status), {}, 0, 0});
    for (const journal::Change& change : changes) {
        if (!change.path.empty()) HF_TRY(visit_change(change, kept));
        if (links_met_) return std::optional<FilesFacts>();
    }
    HF_TRY(kept.keep_until(std::nullopt));
    facts_.excluded = before.excluded;  // A change tells nothing of those that did not change.
    facts_.links = before.links;
    return std::optional<FilesFacts>(std::move(facts_));
}

Result<void> Scanner::visit_change(const journal::Change& change, KeptTree& kept) {
    HF_TRY(kept.keep_until(change.path));
    path_ = change.path;
    HF_TRY(ticker_.tick(facts_));
    if (!excluded_above(change.path) && open_parent(change.path)) {
        deep_ = change.deep;
        const std::size_t depth = stack_.size();
        const std::string name = change.path.substr(parent_of(change.path).size() +
                                                    (change.path.find('/') != std::string::npos));
        HF_TRY(visit(stack_.back().fd.get(), name.c_str()));
        while (stack_.size() > depth) HF_TRY(step());
    }
    const Passed passed = HF_TRY(kept.pass_over(change.path, change.deep));
    facts_.files -= passed.files;
    facts_.folders -= passed.folders;
    return {};
}

/// False: there is no such folder any more, so nothing in it either.
bool Scanner::open_parent(const std::string& path) {
    const std::string folder = parent_of(path);
    if (folder == open_folder_ && stack_.back().fd) return true;
    stack_.resize(1);
    open_folder_.clear();
    return open_folders(folder);
}

bool Scanner::open_folders(const std::string& folder) {
    while (open_folder_.size() < folder.size()) {
        const std::size_t start = open_folder_.empty() ? 0 : open_folder_.size() + 1;
        const std::size_t end = std::min(folder.find('/', start), folder.size());
        const std::string name = folder.substr(start, end - start);
        Opened opened = open_folder(stack_.back().fd.get(), name.c_str());
        Status status{};
        if (opened.failed == 0) opened.failed = look_at(opened.fd.get(), status);
        if (opened.failed != 0) {
            if (!is_gone(opened.failed)) unreadable(opened.failed);
            return false;
        }
        stack_.push_back({std::move(opened.fd), inode_key(status), {}, 0, end});
        open_folder_ = folder.substr(0, end);
    }
    return true;
}

bool Scanner::excluded_above(const std::string& path) const {
    for (std::size_t end = path.find('/'); end != std::string::npos;
         end = path.find('/', end + 1)) {
        if (any_matches(excludes_, std::string_view(path).substr(0, end), true)) return true;
    }
    return false;
}

}  // namespace holdfast::agent::files
