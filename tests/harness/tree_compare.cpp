#include "tests/harness/tree_compare.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> xattrs_of(const std::string& path) {
    std::map<std::string, std::string> out;
    std::string names(65536, '\0');
    const ssize_t got = llistxattr(path.c_str(), names.data(), names.size());
    if (got <= 0) return out;
    names.resize(static_cast<std::size_t>(got));
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        std::string value(65536, '\0');
        const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        out[name] = value;
    }
    return out;
}

/// Where a file has data, by the file system's word.
std::uint64_t data_bytes(const std::string& path) {
    auto fd = open_file(path, O_RDONLY);
    HF_ASSERT(fd);
    std::uint64_t sum = 0;
    for (off_t at = 0;;) {
        const off_t data = lseek(fd->get(), at, SEEK_DATA);
        if (data < 0) return sum;
        at = lseek(fd->get(), data, SEEK_HOLE);
        sum += static_cast<std::uint64_t>(at - data);
    }
}

class Comparison {
public:
    Comparison(const std::string& a, const std::string& b, const CompareOptions& options)
        : a_(a), b_(b), options_(options) {}

    std::vector<std::string> run() {
        const auto names_a = names(a_);
        const auto names_b = names(b_);
        for (const std::string& name : names_a) {
            if (!names_b.contains(name)) differ(name, "is missing");
        }
        for (const std::string& name : names_b) {
            if (!names_a.contains(name)) differ(name, "is new");
        }
        if (options_.root_itself) compare("");
        for (const std::string& name : names_a) {
            if (names_b.contains(name)) compare(name);
        }
        return out_;
    }

private:
    static std::set<std::string> names(const std::string& root) {
        std::set<std::string> out;
        for (const auto& item : fs::recursive_directory_iterator(root)) {
            out.insert(item.path().native().substr(root.size()));
        }
        return out;
    }

    void differ(const std::string& name, const std::string& what) {
        out_.push_back("\"" + name + "\" " + what);
    }

    template <class T>
    void check(const std::string& name, const char* what, const T& a, const T& b) {
        if (a != b) differ(name, std::string("differs in ") + what);
    }

    void compare(const std::string& name) {
        const std::string a = a_ + name;
        const std::string b = b_ + name;
        struct stat x {};
        struct stat y {};
        HF_ASSERT(lstat(a.c_str(), &x) == 0 && lstat(b.c_str(), &y) == 0);
        check(name, "type and mode", x.st_mode, y.st_mode);
        if (options_.owners) {
            check(name, "user", x.st_uid, y.st_uid);
            check(name, "group", x.st_gid, y.st_gid);
        }
        check(name, "mtime", x.st_mtim.tv_sec, y.st_mtim.tv_sec);
        check(name, "mtime's fraction", x.st_mtim.tv_nsec, y.st_mtim.tv_nsec);
        check(name, "xattrs", xattrs_of(a), xattrs_of(b));
        if ((x.st_mode & S_IFMT) != (y.st_mode & S_IFMT)) return;
        if (!S_ISDIR(x.st_mode)) check(name, "links", x.st_nlink, y.st_nlink);
        if (S_ISLNK(x.st_mode)) check(name, "target", fs::read_symlink(a), fs::read_symlink(b));
        if (S_ISCHR(x.st_mode) || S_ISBLK(x.st_mode)) check(name, "device", x.st_rdev, y.st_rdev);
        if (!S_ISDIR(x.st_mode) && x.st_nlink > 1) {
            const auto first = first_.try_emplace(x.st_ino, y.st_ino).first;
            check(name, "hard link", first->second, y.st_ino);
        }
        if (S_ISREG(x.st_mode)) compare_content(name, x, y);
    }

    void compare_content(const std::string& name, const struct stat& x, const struct stat& y) {
        check(name, "size", x.st_size, y.st_size);
        if (x.st_size != y.st_size) return;
        constexpr std::uint64_t step = 1 << 20;
        auto a = open_file(a_ + name, O_RDONLY);
        auto b = open_file(b_ + name, O_RDONLY);
        HF_ASSERT(a && b);
        const auto size = static_cast<std::uint64_t>(x.st_size);
        if (data_bytes(b_ + name) > data_bytes(a_ + name)) differ(name, "has lost holes");
        for (std::uint64_t at = 0; at < size; at += step) {
            const std::uint64_t n = std::min(step, size - at);
            auto from_a = read_exact(*a, at, n, name);
            auto from_b = read_exact(*b, at, n, name);
            HF_ASSERT(from_a && from_b);
            if (*from_a != *from_b) {
                differ(name, "differs in content near byte " + std::to_string(at));
                return;
            }
        }
    }

    std::string a_, b_;
    CompareOptions options_;
    std::vector<std::string> out_;
    std::map<ino_t, ino_t> first_;  // From an inode of a with several links to that of b.
};

}  // namespace

std::vector<std::string> compare_trees(const std::string& a, const std::string& b,
                                       const CompareOptions& options) {
    return Comparison(a, b, options).run();
}

}  // namespace holdfast::test
