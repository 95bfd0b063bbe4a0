// What the scanner says of each kind of inode, and of attributes, links, holes and odd names.
#include "agent/source/files/copy.h"
#include "tests/agent/source/files/collecting_sink.h"
#include "tests/harness/scratch_folder.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::CollectingSink;
using holdfast::test::ScratchFolder;
using vault::FileType;

namespace {

files::FilesFacts copy(const ScratchFolder& from, CollectingSink& sink) {
    files::FilesSettings settings;
    settings.folder = from.path();
    auto facts = files::copy_tree(settings, sink, {});
    INFO((facts ? "" : facts.error().message));
    REQUIRE(facts);
    return *facts;
}

}  // namespace

TEST_CASE("every type of inode is seen as what it is", "[files]") {
    const ScratchFolder tree;
    tree.file("regular", "hello");
    tree.folder("folder");
    REQUIRE(symlink("../no/such\nplace", (tree / "link").c_str()) == 0);
    REQUIRE(mkfifo((tree / "fifo").c_str(), 0640) == 0);
    REQUIRE(mknod((tree / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
    const bool root = geteuid() == 0;
    if (root) {
        REQUIRE(mknod((tree / "char").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
        REQUIRE(mknod((tree / "block").c_str(), S_IFBLK | 0600, makedev(7, 300)) == 0);
    }
    CollectingSink sink;
    const auto facts = copy(tree, sink);

    CHECK(sink.at("").entry.type == FileType::Directory);
    CHECK(sink.at("regular").entry.type == FileType::Regular);
    CHECK(sink.at("regular").entry.size == 5);
    CHECK(as_text(sink.at("regular").content) == "hello");
    CHECK(sink.at("folder").entry.type == FileType::Directory);
    CHECK(sink.at("folder").entry.size == 0);
    CHECK(sink.at("link").entry.type == FileType::Symlink);
    CHECK(sink.at("link").entry.link_target == "../no/such\nplace");
    CHECK(sink.at("fifo").entry.type == FileType::Fifo);
    CHECK(sink.at("socket").entry.type == FileType::Socket);
    if (root) {
        CHECK(sink.at("char").entry.type == FileType::CharDevice);
        CHECK(sink.at("char").entry.device == makedev(1, 3));
        CHECK(sink.at("block").entry.type == FileType::BlockDevice);
        CHECK(sink.at("block").entry.device == makedev(7, 300));
    }
    CHECK(facts.entries == sink.items.size());
    CHECK(facts.files == 1);
    CHECK(facts.folders == 2);
    CHECK(sink.warnings.empty());
}

TEST_CASE("owners, modes and times are exact", "[files]") {
    const ScratchFolder tree;
    tree.file("file", "x");
    const std::string path = tree / "file";
    if (geteuid() == 0) REQUIRE(chown(path.c_str(), 1, 123456) == 0);
    REQUIRE(chmod(path.c_str(), 06751) == 0);
    const struct timespec times[2] = {{7, 8}, {-12345, 678'901'234}};
    REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    struct stat info {};
    REQUIRE(stat(path.c_str(), &info) == 0);
    CollectingSink sink;
    copy(tree, sink);

    const vault::Entry& entry = sink.at("file").entry;
    CHECK(entry.mode == (info.st_mode & 07777U));
    CHECK(entry.mtime_ns == -12345LL * 1'000'000'000 + 678'901'234);
    CHECK(entry.ctime_ns == info.st_ctim.tv_sec * 1'000'000'000LL + info.st_ctim.tv_nsec);
    CHECK(entry.inode == info.st_ino);
    CHECK(entry.uid == info.st_uid);
    CHECK(entry.gid == info.st_gid);
    if (geteuid() == 0) {
        CHECK(entry.user == "daemon");
        CHECK(entry.group.empty());
        struct stat after {};
        REQUIRE(stat(path.c_str(), &after) == 0);
        CHECK(after.st_atim.tv_sec == info.st_atim.tv_sec);  // O_NOATIME
    }
}

TEST_CASE("xattrs, ACLs and capabilities come along", "[files]") {
    const ScratchFolder tree;
    tree.file("file", "x");
    tree.file("empty", "");
    tree.folder("folder");
    const std::string file = tree / "file";
    const std::string large(3000, 'v');
    REQUIRE(setxattr(file.c_str(), "user.two", "2", 1, 0) == 0);
    REQUIRE(setxattr(file.c_str(), "user.large", large.data(), large.size(), 0) == 0);
    REQUIRE(setxattr((tree / "empty").c_str(), "user.none", "", 0, 0) == 0);
    REQUIRE(test::run_program({"setfacl", "-m", "u:daemon:rw,g:bin:r", file}));
    REQUIRE(test::run_program({"setfacl", "-d", "-m", "u:daemon:rwx", tree / "folder"}));
    const bool root = geteuid() == 0;
    if (root) {
        REQUIRE(setxattr(file.c_str(), "trusted.t", "t", 1, 0) == 0);
        REQUIRE(test::run_program({"setcap", "cap_net_raw+ep", file}));
    }
    CollectingSink sink;
    copy(tree, sink);

    const auto value = [&](const char* path, const std::string& name) {
        for (const auto& [xattr, bytes] : sink.at(path).entry.xattrs) {
            if (xattr == name) return std::string(as_text(bytes));
        }
        return std::string("absent");
    };
    CHECK(value("file", "user.two") == "2");
    CHECK(value("file", "user.large") == large);
    CHECK(value("empty", "user.none").empty());
    CHECK(value("file", "system.posix_acl_access") != "absent");
    CHECK(value("folder", "system.posix_acl_default") != "absent");
    if (root) {
        CHECK(value("file", "trusted.t") == "t");
        CHECK(value("file", "security.capability") != "absent");
    }
    const auto& xattrs = sink.at("file").entry.xattrs;
    CHECK(std::is_sorted(xattrs.begin(), xattrs.end()));
}

TEST_CASE("names of one file share a number, and the first has the content", "[files]") {
    const ScratchFolder tree;
    tree.folder("a");
    tree.file("a/first", "content");
    tree.folder("b");
    REQUIRE(link((tree / "a/first").c_str(), (tree / "b/second").c_str()) == 0);
    REQUIRE(link((tree / "a/first").c_str(), (tree / "c").c_str()) == 0);
    REQUIRE(mkfifo((tree / "fifo").c_str(), 0600) == 0);
    REQUIRE(link((tree / "fifo").c_str(), (tree / "fifo2").c_str()) == 0);
    tree.file("single", "x");
    CollectingSink sink;
    copy(tree, sink);

    const std::uint64_t number = sink.at("a/first").entry.hard_link;
    CHECK(number != 0);
    CHECK(sink.at("b/second").entry.hard_link == number);
    CHECK(sink.at("c").entry.hard_link == number);
    CHECK(as_text(sink.at("a/first").content) == "content");
    CHECK_FALSE(sink.at("b/second").has_content);
    CHECK_FALSE(sink.at("c").has_content);
    CHECK(sink.at("c").entry.size == 7);
    CHECK(sink.at("fifo").entry.hard_link != 0);
    CHECK(sink.at("fifo").entry.hard_link == sink.at("fifo2").entry.hard_link);
    CHECK(sink.at("single").entry.hard_link == 0);

    CollectingSink again;
    again.before = &sink;
    copy(tree, again);
    CHECK(again.at("a/first").unchanged);
    CHECK(again.at("a/first").entry.hard_link == number);
    CHECK(again.at("c").entry.hard_link == number);
}

TEST_CASE("holes stay holes", "[files]") {
    const ScratchFolder tree;
    tree.file("sparse", "start");
    const int fd = open((tree / "sparse").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const auto put = [&](const char* text, off_t at) { REQUIRE(pwrite(fd, text, 3, at) == 3); };
    put("mid", 20 << 20);
    REQUIRE(ftruncate(fd, 64 << 20) == 0);
    close(fd);
    tree.file("all-hole", "");
    REQUIRE(truncate((tree / "all-hole").c_str(), 256 << 20) == 0);
    CollectingSink sink;
    const auto facts = copy(tree, sink);

    const auto& sparse = sink.at("sparse");
    REQUIRE(sparse.content.size() == 64U << 20);
    CHECK(as_text(View(sparse.content).first(5)) == "start");
    CHECK(as_text(View(sparse.content).subspan(20 << 20, 3)) == "mid");
    CHECK(sparse.hole_bytes > 63U << 20);
    CHECK(sink.at("all-hole").hole_bytes == 256U << 20);
    CHECK(facts.read_bytes < 1U << 20);
}

TEST_CASE("names are bytes, and come in path order", "[files]") {
    const ScratchFolder tree;
    const std::vector<std::string> names{
        "-rf",  "new\nline", "\xff\xfe bad utf-8",  " ",   "a", "a.b", "a!", "...",
        "\x01", "quote'\"",  std::string(255, 'n'), "a\tb"};
    for (const std::string& name : names) {
        if (name == "a") continue;
        tree.file(name, name);
    }
    tree.folder("a");
    tree.file("a/inside", "x");  // Before "a!" and "a.b": '/' sorts below all bytes.
    CollectingSink sink;
    copy(tree, sink);
    for (const std::string& name : names) {
        if (name != "a") CHECK(as_text(sink.at(name).content) == name);
    }
    CHECK(sink.items.size() == names.size() + 2);
    CHECK(sink.warnings.empty());
}

TEST_CASE("a file of pages is cut as pages, any other as a stream", "[files]") {
    const ScratchFolder tree;
    tree.random_file("database", 2 << 20, 1);
    tree.random_file("odd", (2 << 20) + 1, 2);
    tree.random_file("short", 8192, 3);
    CollectingSink sink;
    copy(tree, sink);
    CHECK(sink.at("database").shape == Shape::Pages);
    CHECK(sink.at("odd").shape == Shape::Stream);
    CHECK(sink.at("short").shape == Shape::Stream);
    CHECK(as_text(sink.at("odd").content) == test::random_bytes((2 << 20) + 1, 2));
}
