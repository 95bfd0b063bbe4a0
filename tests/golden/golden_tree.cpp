#include "tests/golden/golden_tree.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <random>

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

class Maker {
public:
    explicit Maker(std::string root) : root_(std::move(root)) {}

    std::string at(std::string_view name) const { return root_ + "/" + std::string(name); }
    void write(std::string_view name, std::string_view content, off_t offset = 0) const {
        auto fd = open_file(at(name), O_WRONLY | O_CREAT, 0644);
        HF_ASSERT(fd);
        const ssize_t put = pwrite(fd->get(), content.data(), content.size(), offset);
        HF_ASSERT(put == static_cast<ssize_t>(content.size()));
    }
    void resize(std::string_view name, off_t size) const {
        HF_ASSERT(truncate(at(name).c_str(), size) == 0);
    }
    void mode(std::string_view name, mode_t mode) const {
        HF_ASSERT(chmod(at(name).c_str(), mode) == 0);
    }
    void owner(std::string_view name, uid_t user, gid_t group) const {
        HF_ASSERT(lchown(at(name).c_str(), user, group) == 0);
    }
    void xattr(std::string_view name, const char* key, std::string_view value) const {
        HF_ASSERT(setxattr(at(name).c_str(), key, value.data(), value.size(), 0) == 0);
    }
    void time(std::string_view name, std::int64_t seconds, long nanoseconds) const {
        const timespec both[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
        HF_ASSERT(utimensat(AT_FDCWD, at(name).c_str(), both, AT_SYMLINK_NOFOLLOW) == 0);
    }
    /// So that a later making describes the same: all times, folders last.
    void settle(std::int64_t seconds) const {
        for (const auto& item : fs::recursive_directory_iterator(root_)) {
            time(item.path().native().substr(root_.size() + 1), seconds, 123'456'789);
        }
        time("", seconds, 0);
    }

private:
    std::string root_;
};

std::string noise(std::size_t size, unsigned seed) {
    std::mt19937 random(seed);
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
}

/// 16-bit samples of something smooth with a little noise, as a scanner makes them.
std::string samples(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) {
        const double wave = 1000 + 700 * std::sin(static_cast<double>(i) / 90);
        const auto value = static_cast<unsigned>(wave) + random() % 4;
        bytes.push_back(static_cast<char>(value & 0xff));
        bytes.push_back(static_cast<char>(value >> 8));
    }
    return bytes;
}

std::string sentences(unsigned seed) {
    static const char* const words[] = {"patient ", "reviewed ", "on ",     "ward ", "stable ",
                                        "plan ",    "continue ", "bloods ", "seen ", "today\n"};
    std::mt19937 random(seed);
    std::string text;
    for (int i = 0; i < 120; ++i) text += words[random() % 10];
    return text;
}

void make_contents(const Maker& tree) {
    for (unsigned i = 0; i < 12; ++i) {
        tree.write("notes/note " + std::to_string(i) + ".txt", sentences(i));
    }
    tree.write("empty", "");
    tree.write("noise", noise(5'000, 1));
    tree.write("scan.raw", samples(20'000, 2));               // Filter 1: a chunk of its own.
    tree.write("scan odd.raw", "\x07" + samples(17'000, 3));  // Filter 2.
    tree.write("pages", noise(512, 4));                       // Fixed pieces: 1 MiB of 8 KiB pages.
    tree.write("pages", sentences(4), 700'000);
    tree.resize("pages", 1 << 20);
    tree.write("holes", "between two holes", 1 << 20);
    tree.resize("holes", 3'000'001);
    // More than 1024 extents: they go to chunks of their own.
    for (int i = 0; i < 600; ++i) tree.write("comb", std::string(4096, 'c'), off_t{i} << 16);
    tree.resize("comb", 600 << 16);
}

void make_inodes(const Maker& tree) {
    HF_ASSERT(symlink("notes/note 1.txt", tree.at("link").c_str()) == 0);
    HF_ASSERT(symlink("/nowhere/at all", tree.at("dangling").c_str()) == 0);
    HF_ASSERT(mkfifo(tree.at("pipe").c_str(), 0620) == 0);
    HF_ASSERT(mknod(tree.at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
    HF_ASSERT(mknod(tree.at("loop").c_str(), S_IFBLK | 0660, makedev(7, 9)) == 0);
    HF_ASSERT(mknod(tree.at("socket").c_str(), S_IFSOCK | 0700, 0) == 0);
    HF_ASSERT(link(tree.at("noise").c_str(), tree.at("a second name").c_str()) == 0);
    HF_ASSERT(link(tree.at("noise").c_str(), tree.at("notes/a third").c_str()) == 0);
    tree.owner("link", 1234, 5678);
    tree.owner("scan.raw", 1234, 5678);
    tree.mode("scan.raw", 06755);
    tree.mode("notes", 01770);
    tree.mode("empty", 0);
    tree.xattr("pages", "user.note", std::string_view("\0\1\2", 3));
    tree.xattr("notes", "user.folder", "yes");
    const std::string_view acl(
        "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\6\0\xd2\4\0\0\4\0\4\0\xff\xff\xff\xff"
        "\x10\0\6\0\xff\xff\xff\xff\x20\0\4\0\xff\xff\xff\xff",
        44);
    tree.xattr("holes", "system.posix_acl_access", acl);
    tree.xattr("notes", "system.posix_acl_default", acl);
}

}  // namespace

void make_golden_tree(const std::string& root) {
    const Maker tree(root);
    for (const char* folder : {"", "notes", "notes/deep", "notes/deep/er", "empty folder"}) {
        HF_ASSERT(mkdir(tree.at(folder).c_str(), 0755) == 0);
    }
    make_contents(tree);
    make_inodes(tree);
    tree.write("notes.txt", "sorts behind what is in the folder notes");
    tree.write("odd \n\xff\xfe name", "names are bytes");
    tree.write("na\xc3\xafve \xe6\x82\xa3\xe8\x80\x85", "and mostly UTF-8");
    tree.write("notes/deep/er/" + std::string(255, 'n'), "as long as a name can be");
    tree.settle(1'790'000'000);
    tree.time("dangling", -2, 999'999'999);  // Before 1970.
}

void change_golden_tree(const std::string& root) {
    const Maker tree(root);
    tree.write("pages", std::string(8192, 'p'), 8192 * 100);
    tree.write("notes/note 3.txt", sentences(99));
    tree.write("notes/new.txt", sentences(100));
    HF_ASSERT(unlink(tree.at("notes/note 5.txt").c_str()) == 0);
    HF_ASSERT(rename(tree.at("scan.raw").c_str(), tree.at("scan moved.raw").c_str()) == 0);
    tree.mode("noise", 0600);
    for (const char* name : {"pages", "notes/note 3.txt", "notes/new.txt", "notes", ""}) {
        tree.time(name, 1'790'086'400, 1);
    }
}

}  // namespace holdfast::test
