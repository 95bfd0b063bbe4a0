#include "tests/agent/mount/folder_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace holdfast::agent {
namespace {

constexpr std::size_t open_max = 256;

vault::FileType type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return vault::FileType::Directory;
        case S_IFLNK:
            return vault::FileType::Symlink;
        case S_IFIFO:
            return vault::FileType::Fifo;
        case S_IFSOCK:
            return vault::FileType::Socket;
        case S_IFCHR:
            return vault::FileType::CharDevice;
        case S_IFBLK:
            return vault::FileType::BlockDevice;
        default:
            return vault::FileType::Regular;
    }
}

std::int64_t to_ns(const timespec& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void read_xattrs(const std::string& path, vault::Entry& entry) {
    std::string names(vault::xattr_bytes_max, '\0');
    const ssize_t n = ::llistxattr(path.c_str(), names.data(), names.size());
    for (std::size_t at = 0; n > 0 && at < static_cast<std::size_t>(n);) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        Buffer value(vault::xattr_bytes_max);
        const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        if (size < 0) continue;
        value.resize(static_cast<std::size_t>(size));
        entry.xattrs.emplace_back(name, std::move(value));
    }
    std::sort(entry.xattrs.begin(), entry.xattrs.end());
}

Result<vault::Entry> entry_at(const std::string& root, const std::string& path) {
    const std::string full = path.empty() ? root : root + "/" + path;
    struct stat info {};
    if (::lstat(full.c_str(), &info) != 0) return io_error(errno, "stat " + full);
    vault::Entry entry;
    entry.path = path;
    entry.type = type_of(info.st_mode);
    entry.mode = info.st_mode & 07777;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime_ns = to_ns(info.st_mtim);
    entry.ctime_ns = to_ns(info.st_ctim);
    entry.inode = info.st_ino;
    if (S_ISREG(info.st_mode)) entry.size = static_cast<std::uint64_t>(info.st_size);
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) entry.device = info.st_rdev;
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1) entry.hard_link = info.st_ino;
    if (S_ISLNK(info.st_mode)) entry.link_target = std::filesystem::read_symlink(full).string();
    read_xattrs(full, entry);
    return entry;
}

}  // namespace

Result<FolderTree> FolderTree::open(const std::string& folder) {
    FolderTree tree(folder);
    tree.entries_.push_back(HF_TRY(entry_at(folder, "")));
    for (const auto& found : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string path = found.path().string().substr(folder.size() + 1);
        tree.entries_.push_back(HF_TRY(entry_at(folder, path)));
    }
    std::sort(tree.entries_.begin(), tree.entries_.end(), [](const auto& a, const auto& b) {
        return vault::compare_paths(a.path, b.path) < 0;
    });
    return tree;
}

void FolderTree::fail_at(const std::string& path, std::uint64_t offset) {
    failing_path_ = path;
    failing_offset_ = offset;
}

Result<void> FolderTree::walk(
    const std::function<Result<void>(std::uint64_t, const vault::Entry&)>& visit) const {
    for (std::uint64_t i = 0; i < entries_.size(); ++i) HF_TRY(visit(i, entries_[i]));
    return {};
}

Result<std::size_t> FolderTree::read(std::uint64_t ordinal, std::uint64_t offset,
                                     std::span<std::uint8_t> out) const {
    const vault::Entry& entry = entries_[ordinal];
    if (entry.path == failing_path_ && offset + out.size() > failing_offset_) {
        return Error{Errc::Corrupt, "pack 3fa1: leaf 7 does not match its hash"};
    }
    int fd = -1;
    {
        const std::lock_guard lock(mutex_);
        if (!open_.contains(ordinal)) {
            if (open_.size() >= open_max) open_.clear();
            open_.emplace(ordinal, HF_TRY(open_file(folder_ + "/" + entry.path, O_RDONLY)));
        }
        fd = ::dup(open_.at(ordinal).get());
    }
    const Fd file(fd);
    std::size_t filled = 0;
    while (filled < out.size()) {
        const ssize_t n = ::pread(file.get(), out.data() + filled, out.size() - filled,
                                  static_cast<off_t>(offset + filled));
        if (n < 0) return io_error(errno, "read " + entry.path);
        if (n == 0) break;
        filled += static_cast<std::size_t>(n);
    }
    return filled;
}

}  // namespace holdfast::agent
