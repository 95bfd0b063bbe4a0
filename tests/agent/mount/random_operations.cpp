#include "tests/agent/mount/random_operations.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t file_limit = 64 << 10;

std::string content_of(std::uint64_t bytes, unsigned seed) {
    std::mt19937 random(seed);
    std::string out(bytes, '\0');
    for (char& byte : out) byte = static_cast<char>('!' + random() % 90);
    return out;
}

/// 0, or errno where a call answered a negative value.
template <class T>
int code(T result) {
    return result < 0 ? errno : 0;
}

int write_to(const std::string& path, int flags, std::uint64_t offset, const std::string& text) {
    const Fd fd(::open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) return errno;
    if ((flags & O_APPEND) != 0) return code(::write(fd.get(), text.data(), text.size()));
    return code(::pwrite(fd.get(), text.data(), text.size(), static_cast<off_t>(offset)));
}

template <class Call>
int with_open(const std::string& path, int flags, Call call) {
    const Fd fd(::open(path.c_str(), flags | O_CLOEXEC));
    return fd ? code(call(fd.get())) : errno;
}

int append_within_limit(const std::string& path, const Operation& op) {
    struct stat info {};
    const bool there = ::stat(path.c_str(), &info) == 0;
    if (there && S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) > file_limit) {
        return code(::truncate(path.c_str(), 100));
    }
    return write_to(path, O_APPEND, 0, content_of(op.bytes, op.seed));
}

}  // namespace

std::string Operation::text() const {
    return "kind " + std::to_string(static_cast<int>(kind)) + " " + path + " " + other + " at " +
           std::to_string(offset) + " " + std::to_string(bytes) + " bytes";
}

bool Operation::has_two_paths() const {
    return kind == Kind::Rename || kind == Kind::Exchange || kind == Kind::Link;
}

Operation random_operation(std::mt19937& random) {
    static const std::vector<std::string> folders{"", "", "d1/", "d2/", "d1/d3/"};
    static const std::vector<std::string> names{"a", "b", "c", "d1", "d2", "d3"};
    static const std::vector<Kind> kinds{
        Kind::Write,      Kind::Write,      Kind::Write,        Kind::Write,     Kind::Append,
        Kind::Rewrite,    Kind::Truncate,   Kind::Punch,        Kind::Truncate,  Kind::Unlink,
        Kind::MakeFolder, Kind::MakeFolder, Kind::RemoveFolder, Kind::Rename,    Kind::Rename,
        Kind::Exchange,   Kind::Link,       Kind::Symlink,      Kind::Chmod,     Kind::BigXattr,
        Kind::Sync,       Kind::Sync,       Kind::SyncData,     Kind::SyncFolder};
    const auto pick = [&](const auto& from) { return from[random() % from.size()]; };
    Operation op;
    op.kind = pick(kinds);
    op.path = pick(folders) + pick(names);
    op.other = pick(folders) + pick(names);
    op.offset = random() % 40'000;
    op.bytes = 1 + random() % 12'000;
    if (random() % 4 == 0) op.offset = op.offset / 4096 * 4096;
    if (random() % 4 == 0) op.bytes = (op.bytes / 4096 + 1) * 4096;
    op.seed = static_cast<unsigned>(random());
    return op;
}

int perform(const std::string& root, const Operation& op) {
    const std::string path = root + "/" + op.path;
    const std::string other = root + "/" + op.other;
    const std::string content = content_of(op.bytes, op.seed);
    const auto offset = static_cast<off_t>(op.offset);
    switch (op.kind) {
        case Kind::Write:
            return write_to(path, 0, op.offset, content);
        case Kind::Append:
            return append_within_limit(path, op);
        case Kind::Rewrite:
            return write_to(path, O_TRUNC, op.offset % 5000, content);
        case Kind::Truncate:
            return code(::truncate(path.c_str(), offset));
        case Kind::Punch:
            return with_open(path, O_WRONLY, [&](int fd) {
                return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
                                   static_cast<off_t>(op.bytes * 2));
            });
        case Kind::Unlink:
            return code(::unlink(path.c_str()));
        case Kind::MakeFolder:
            return code(::mkdir(path.c_str(), 0755));
        case Kind::RemoveFolder:
            return code(::rmdir(path.c_str()));
        case Kind::Rename:
            return code(::rename(path.c_str(), other.c_str()));
        case Kind::Exchange:
            return code(
                ::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE));
        case Kind::Link:
            return code(::link(path.c_str(), other.c_str()));
        case Kind::Symlink:
            return code(::symlink("d1/a", path.c_str()));
        case Kind::Chmod:
            return code(::chmod(path.c_str(), 0600 | (op.seed & 0077)));
        case Kind::BigXattr: {
            // ext4 keeps at most one block of these; the journal gets it on the mount alone.
            const std::string value = content_of(3000, op.seed);
            return code(::setxattr(path.c_str(), "user.big", value.data(), value.size(), 0));
        }
        case Kind::Sync:
            return with_open(path, O_RDONLY, [](int fd) { return ::fsync(fd); });
        case Kind::SyncData:
            return with_open(path, O_RDONLY, [](int fd) { return ::fdatasync(fd); });
        case Kind::SyncFolder:
            return with_open(root, O_RDONLY | O_DIRECTORY, [](int fd) { return ::fsync(fd); });
    }
    return EINVAL;
}

Seen look(const std::string& root) {
    namespace fs = std::filesystem;
    Seen out;
    for (const auto& found : fs::recursive_directory_iterator(root)) {
        const std::string path = found.path().string();
        struct stat info {};
        HF_ASSERT(::lstat(path.c_str(), &info) == 0);
        Item item;
        item.mode = info.st_mode & 07777;
        item.links = info.st_nlink;
        item.inode = info.st_ino;
        item.type = S_ISDIR(info.st_mode) ? 'd' : S_ISLNK(info.st_mode) ? 'l' : 'f';
        if (item.type == 'l') item.content = fs::read_symlink(path).string();
        if (item.type == 'f') {
            const auto bytes = read_file(path, 1 << 20);
            HF_ASSERT(bytes);
            item.content = as_text(*bytes);
        }
        out.emplace(path.substr(root.size() + 1), std::move(item));
    }
    return out;
}

std::map<std::string, std::string> shape_of(const Seen& seen) {
    std::map<std::uint64_t, std::string> first_names;
    std::map<std::string, std::string> out;
    for (const auto& [path, item] : seen) {
        const std::string& first = first_names.try_emplace(item.inode, path).first->second;
        out[path] = item.type + (item.type == 'l' ? item.content : item.type == 'f' ? first : "");
    }
    return out;
}

void rebuild(const std::string& root, const Seen& seen) {
    std::map<std::uint64_t, std::string> first_names;
    for (const auto& [path, item] : seen) {
        const std::string full = root + "/" + path;
        const auto [first, is_first] = first_names.try_emplace(item.inode, full);
        if (item.type == 'd') HF_ASSERT(::mkdir(full.c_str(), 0755) == 0);
        if (item.type == 'l' && is_first) {
            HF_ASSERT(::symlink(item.content.c_str(), full.c_str()) == 0);
        }
        if (item.type == 'f' && is_first) {
            HF_ASSERT(write_to(full, O_TRUNC, 0, item.content) == 0);
        }
        if (!is_first) HF_ASSERT(::link(first->second.c_str(), full.c_str()) == 0);
        if (item.type != 'l') HF_ASSERT(::chmod(full.c_str(), item.mode) == 0);
    }
}

}  // namespace holdfast::agent
