#include "agent/source/files/scanner.h"

#include "agent/source/files/open.h"
#include "agent/source/files/xattrs.h"

#include <cerrno>

namespace holdfast::agent::files {
namespace {

// Well under the usual limit of 1024 descriptors, and deeper than nearly all trees.
constexpr std::size_t folders_open_max = 128;
constexpr int replaced_tries_max = 20;
}  // namespace

Result<Status> Scanner::add_root(int root) {
    Status status{};
    if (const int failed = look_at(root, status); failed != 0) {
        return io_error(failed, "look at " + settings_->folder);
    }
    fill(entry_, status, owners_);
    if (auto missing = read_xattrs(root, entry_.xattrs); !missing.empty()) warn(missing);
    HF_TRY(add(0));
    return status;
}

Result<FilesFacts> Scanner::run(Fd root) {
    const Status status = HF_TRY(add_root(root.get()));
    enter(std::move(root), status);
    while (!stack_.empty()) HF_TRY(step());
    return facts_;
}

/// Lists a folder whose entry was added; what is in it comes next.
void Scanner::enter(Fd fd, const Status& status) {
    Folder folder{std::move(fd), inode_key(status), {}, 0, path_.size()};
    const int failed = folder.names.read(folder.fd.get());
    if (failed != 0) unreadable(failed);
    if (stack_.size() >= folders_open_max) stack_[stack_.size() - folders_open_max + 1].fd.reset();
    stack_.push_back(std::move(folder));
}

Result<void> Scanner::step() {
    Folder& folder = stack_.back();
    path_.resize(folder.path_bytes);
    if (folder.next == folder.names.size()) {
        stack_.pop_back();
        return {};
    }
    if (!folder.fd && !reopen(folder)) {
        warn("the folder was moved while it was read; what is in it is missing in part");
        ++facts_.unreadable;
        stack_.pop_back();
        return {};
    }
    const char* name = folder.names[folder.next++];
    if (!path_.empty()) path_ += '/';
    path_ += name;
    HF_TRY(ticker_.tick(facts_));
    return visit(folder.fd.get(), name);
}

/// From the root, which is always open, name by name.
bool Scanner::reopen(Folder& folder) {
    int at = stack_.front().fd.get();
    Fd open;
    for (std::size_t i = 1; i < stack_.size(); ++i) {
        const std::size_t start = stack_[i - 1].path_bytes + (i == 1 ? 0 : 1);
        const std::string name = path_.substr(start, stack_[i].path_bytes - start);
        Opened next = open_folder(at, name.c_str());
        if (next.failed != 0) return false;
        open = std::move(next.fd);
        at = open.get();
    }
    Status status{};
    if (look_at(at, status) != 0 || inode_key(status) != folder.inode) return false;
    folder.fd = std::move(open);
    return true;
}

Result<void> Scanner::visit(int folder, const char* name) {
    if (path_.size() > vault::path_bytes_max) {
        warn("its path is longer than the 4096 bytes that a vault takes; it is left out");
        ++facts_.unreadable;
        return {};
    }
    for (int i = 0; i < replaced_tries_max; ++i) {
        Status status{};
        const int failed = look_at(folder, name, status);
        if (failed != 0 && failed != ENOENT) {
            unreadable(failed);
            return {};
        }
        if (failed == ENOENT) {
            ++facts_.vanished;
            return {};
        }
        if (any_matches(excludes_, path_, is_folder(status)) ||
            (settings_->takes && S_ISREG(status.stx_mode) && !settings_->takes(path_))) {
            ++facts_.excluded;
            return {};
        }
        entry_.path = path_;
        entry_.hard_link = 0;
        entry_.link_target.clear();
        entry_.xattrs.clear();
        fill(entry_, status, owners_);
        const Seen seen = HF_TRY(visit_inode(folder, name, status));
        if (seen == Seen::Vanished) {
            ++facts_.vanished;
            return {};
        }
        if (seen != Seen::Replaced) return {};
    }
    warn("it was replaced by another each time that it was looked at; it is left out");
    ++facts_.unreadable;
    return {};
}

}  // namespace holdfast::agent::files
