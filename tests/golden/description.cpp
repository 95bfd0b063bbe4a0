#include "tests/golden/description.h"

#include "vault/base/file.h"
#include "vault/crypto/merkle.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>
#include <map>

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_bytes_max = 64 << 20;

std::string escaped(std::string_view bytes) {
    if (bytes.empty()) return "-";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '/' || c == '-';
        out += plain && byte < 0x80 ? std::string(1, c) : fmt::format("%{:02x}", byte);
    }
    return out;
}

std::string xattrs_of(const std::string& path) {
    std::string names(65536, '\0');
    const ssize_t got = llistxattr(path.c_str(), names.data(), names.size());
    std::map<std::string, std::string> all;
    for (std::size_t at = 0; got > 0 && at < static_cast<std::size_t>(got);) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        std::string value(65536, '\0');
        const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        HF_ASSERT(size >= 0);
        value.resize(static_cast<std::size_t>(size));
        all[name] = to_hex(as_view(value));
    }
    std::string out;
    for (const auto& [name, value] : all) {
        out += (out.empty() ? "" : ",") + escaped(name) + "=" + value;
    }
    return out.empty() ? "-" : out;
}

char type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return 'f';
        case S_IFDIR:
            return 'd';
        case S_IFLNK:
            return 'l';
        case S_IFIFO:
            return 'p';
        case S_IFSOCK:
            return 's';
        case S_IFCHR:
            return 'c';
        default:
            return 'b';
    }
}

std::string describe(const std::string& path, const std::string& name) {
    struct stat info {};
    HF_ASSERT(lstat(path.c_str(), &info) == 0);
    const char type = type_of(info.st_mode);
    std::string size = "-", hash = "-", links = "-", device = "-", target = "-";
    if (type == 'f') {
        const auto content = read_file(path, file_bytes_max);
        HF_ASSERT(content);
        size = std::to_string(content->size());
        hash = vault::merkle_leaf_hash(*content).hex();
    }
    if (type != 'd') links = std::to_string(info.st_nlink);
    if (type == 'c' || type == 'b') device = std::to_string(info.st_rdev);
    if (type == 'l') target = escaped(fs::read_symlink(path).native());
    const std::int64_t mtime = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
    return fmt::format("{} {:o} {} {} {} {} {} {} {} {} {} {}", type, info.st_mode & 07777,
                       info.st_uid, info.st_gid, mtime, links, size, hash, device, xattrs_of(path),
                       escaped(name), target);
}

}  // namespace

std::vector<std::string> describe_tree(const std::string& root) {
    std::map<std::string, std::string> lines;
    lines[""] = describe(root, "");
    for (const auto& item : fs::recursive_directory_iterator(root)) {
        const std::string name = item.path().native().substr(root.size() + 1);
        lines[name] = describe(item.path().native(), name);
    }
    std::vector<std::string> out;
    for (auto& [name, line] : lines) out.push_back(std::move(line));
    return out;
}

}  // namespace holdfast::test
