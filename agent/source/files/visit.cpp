// The part of the scanner that turns one inode into an entry.
#include "agent/source/files/open.h"
#include "agent/source/files/scanner.h"
#include "agent/source/files/xattrs.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace holdfast::agent::files {
namespace {

constexpr const char* cache_tag = "CACHEDIR.TAG";
// As https://bford.info/cachedir/ says.
constexpr std::string_view cache_signature = "Signature: 8a477f597d28d172789f06886806bc55";

bool is_cache(int folder) {
    const Opened tag = open_regular(folder, cache_tag);
    std::array<char, cache_signature.size()> start{};
    if (tag.failed != 0) return false;
    const ssize_t got = pread(tag.fd.get(), start.data(), start.size(), 0);
    return got == static_cast<ssize_t>(start.size()) &&
           std::string_view(start.data(), start.size()) == cache_signature;
}

}  // namespace

Result<Scanner::Seen> Scanner::visit_inode(int folder, const char* name, const Status& status) {
    if (is_folder(status)) return visit_folder(folder, name, status);
    const bool linked = status.stx_nlink > 1;
    if (linked && changes_only_) {
        links_met_ = true;
        return Seen::LeftOut;
    }
    if (linked) {
        tell_link(status);
        entry_.hard_link = links_.find(inode_key(status));
        if (entry_.hard_link != 0) return visit_other(folder, name);  // Content is with the first.
        entry_.hard_link = links_.propose(inode_key(status));
    }
    const bool regular = entry_.type == vault::FileType::Regular;
    const std::uint64_t number = entry_.hard_link;
    const Seen seen =
        HF_TRY(regular ? visit_regular(folder, name, status) : visit_other(folder, name));
    if (linked && seen == Seen::Added) links_.add(inode_key(status), number);
    return seen;
}

Result<Scanner::Seen> Scanner::visit_regular(int folder, const char* name, const Status& status) {
    if (HF_TRY(sink_->add_unchanged(entry_))) {
        ++facts_.unchanged;
        count_entry();
        return Seen::Added;
    }
    if (entry_.size == 0) return visit_other(folder, name);  // Spares four calls of the kernel.
    const Opened opened = open_regular(folder, name);
    if (opened.failed == ENOENT) return Seen::Vanished;
    if (opened.failed == ELOOP || opened.failed == ENXIO) return Seen::Replaced;
    if (opened.failed != 0) return unreadable(opened.failed);
    Status now{};
    if (const int failed = look_at(opened.fd.get(), now); failed != 0) return unreadable(failed);
    if (inode_key(now) != inode_key(status) || !S_ISREG(now.stx_mode)) return Seen::Replaced;
    return read_regular(opened.fd.get());
}

Result<Scanner::Seen> Scanner::read_regular(int fd) {
    const Content content = HF_TRY(content_.read(fd, entry_, facts_));
    if (content.failed != 0) return unreadable(content.failed);
    if (content.changed) {
        ++facts_.changed;
        warn("it changed while it was read; its content may be of several moments");
    }
    if (auto missing = read_xattrs(fd, entry_.xattrs); !missing.empty()) warn(std::move(missing));
    HF_TRY(add(content.handle));
    return Seen::Added;
}

Result<Scanner::Seen> Scanner::visit_other(int folder, const char* name) {
    if (entry_.type == vault::FileType::Symlink && !read_target(folder, name)) {
        if (errno == ENOENT) return Seen::Vanished;
        if (errno == EINVAL) return Seen::Replaced;  // No link any more.
        return unreadable(errno);
    }
    read_name_xattrs(folder, name);
    HF_TRY(add(0));
    return Seen::Added;
}

Result<Scanner::Seen> Scanner::visit_folder(int folder, const char* name, const Status& status) {
    Opened opened = open_folder(folder, name);
    if (opened.failed == ENOENT) return Seen::Vanished;
    if (opened.failed == ELOOP || opened.failed == ENOTDIR) return Seen::Replaced;
    if (opened.failed != 0) {  // The folder itself is known all the same.
        read_name_xattrs(folder, name);
        HF_TRY(add(0));
        unreadable(opened.failed);
        return Seen::Added;
    }
    Status now{};
    const int fd = opened.fd.get();
    if (const int failed = look_at(fd, now); failed != 0) return unreadable(failed);
    // An automount that the open set off counts as what it is now.
    if (inode_key(now) != inode_key(status)) fill(entry_, now, owners_);
    if (auto missing = read_xattrs(fd, entry_.xattrs); !missing.empty()) warn(std::move(missing));
    HF_TRY(add(0));
    if (!deep_ || stays_empty(fd, now)) return Seen::Added;
    const bool cache = settings_->skip_caches && is_cache(fd);
    enter(std::move(opened.fd), now);
    if (cache) stack_.back().names.keep_only(cache_tag);
    return Seen::Added;
}

bool Scanner::stays_empty(int fd, const Status& status) {
    const bool other_file_system = inode_key(status).first != stack_.back().inode.first;
    return other_file_system && (settings_->one_file_system || is_kernel_file_system(fd));
}

bool Scanner::read_target(int folder, const char* name) {
    std::array<char, vault::path_bytes_max + 1> target;
    const ssize_t got = readlinkat(folder, name, target.data(), target.size());
    if (got < 0) return false;
    if (static_cast<std::size_t>(got) == target.size()) {
        errno = ENAMETOOLONG;
        return false;
    }
    entry_.link_target.assign(target.data(), static_cast<std::size_t>(got));
    return true;
}

void Scanner::read_name_xattrs(int folder, const char* name) {
    auto missing = read_xattrs(folder, name, entry_.xattrs);
    if (!missing.empty()) warn(std::move(missing));
}

Result<void> Scanner::add(ContentHandle content) {
    count_entry();
    return sink_->add(entry_, content);
}

void Scanner::count_entry() {
    ++facts_.entries;
    if (entry_.type == vault::FileType::Directory) ++facts_.folders;
    if (entry_.type == vault::FileType::Regular) {
        ++facts_.files;
        facts_.bytes += entry_.size;
    }
}

void Scanner::tell_link(const Status& status) {
    if (!facts_.links) return;
    facts_.links->push_back({path_, time_ns(status.stx_ctime)});
    if (facts_.links->size() > links_told_max) facts_.links.reset();
}

Scanner::Seen Scanner::unreadable(int error) {
    ++facts_.unreadable;
    warn(std::string("cannot be read: ") + std::strerror(error));
    return Seen::LeftOut;
}

void Scanner::warn(std::string what) {
    ++facts_.warnings;
    sink_->warn({path_, std::move(what)});
}

}  // namespace holdfast::agent::files
