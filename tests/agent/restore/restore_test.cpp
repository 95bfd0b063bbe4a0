// A folder goes into a vault and comes out again; then what can go wrong.
#include "agent/restore/restore.h"

#include "tests/agent/restore/scratch_vault.h"
#include "tests/harness/scratch_folder.h"
#include "tests/harness/tree_compare.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::compare_trees;
using holdfast::test::ScratchFolder;
using holdfast::test::ScratchVault;

namespace {

RestoreFacts restore(ScratchVault& vault, const RestoreSettings& settings) {
    auto facts = restore_tree(*vault.tree, vault.readers(), settings);
    INFO((facts ? "" : facts.error().message));
    REQUIRE(facts);
    return *facts;
}

RestoreSettings into(const std::string& folder) {
    RestoreSettings settings;
    settings.folder = folder;
    settings.workers = 3;
    return settings;
}

void write_at(const std::string& path, off_t at, const std::string& bytes) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    REQUIRE(fd >= 0);
    REQUIRE(pwrite(fd, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
    close(fd);
}

/// One of everything.
void fill(const ScratchFolder& tree) {
    for (const char* name : {"a", "a/deep", "a/deep/er", "acl", "empty folder", "s"}) {
        tree.folder(name);
    }
    for (int i = 0; i < 700; ++i) {
        tree.random_file("s/small-" + std::to_string(i), static_cast<std::size_t>(i * 37), 9U);
    }
    tree.file("empty", "");
    tree.file("a/text", std::string(100'000, 't'));
    tree.random_file("a/deep/er/large", 40'000'000, 1);
    tree.random_file("pages", 80 << 20, 2);  // 1280 pieces: its extents are in parts.
    tree.file("bad \xff name\n", "x");
    write_at(tree / "sparse", 5 << 20, "middle");
    REQUIRE(truncate((tree / "sparse").c_str(), 100 << 20) == 0);
    REQUIRE(link((tree / "a/text").c_str(), (tree / "s/text too").c_str()) == 0);
    REQUIRE(link((tree / "a/text").c_str(), (tree / "z").c_str()) == 0);
    REQUIRE(symlink("/etc/passwd", (tree / "link").c_str()) == 0);
    REQUIRE(link((tree / "link").c_str(), (tree / "link too").c_str()) == 0);
    REQUIRE(mkfifo((tree / "fifo").c_str(), 0640) == 0);
    REQUIRE(mknod((tree / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
    REQUIRE(setxattr((tree / "a").c_str(), "user.folder", "f", 1, 0) == 0);
    REQUIRE(setxattr((tree / "z").c_str(), "user.file", "f", 1, 0) == 0);
    REQUIRE(test::run_program({"setfacl", "-m", "u:daemon:rx,d:u:bin:rwx", tree / "acl"}));
    tree.file("acl/inherits", "x");
    REQUIRE(test::run_program({"setfacl", "-m", "u:daemon:-,m:r", tree / "pages"}));
    if (geteuid() == 0) {
        REQUIRE(mknod((tree / "char").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
        REQUIRE(mknod((tree / "block").c_str(), S_IFBLK | 0600, makedev(7, 300)) == 0);
        REQUIRE(chown((tree / "a/deep").c_str(), 1, 4321) == 0);
        REQUIRE(lchown((tree / "link").c_str(), 7, 8) == 0);
        REQUIRE(chown((tree / "empty").c_str(), 54321, 1) == 0);
        REQUIRE(test::run_program({"setcap", "cap_net_raw+ep", tree / "a/text"}));
        REQUIRE(setxattr((tree / "socket").c_str(), "trusted.t", "t", 1, 0) == 0);
    }
    REQUIRE(chmod((tree / "empty").c_str(), 06755) == 0);
    REQUIRE(chmod((tree / "s").c_str(), 01777) == 0);
    REQUIRE(chmod((tree / "a/deep/er").c_str(), 0500) == 0);
    const struct timespec old[2] = {{1, 2}, {-5, 123'456'789}};
    for (const char* name : {"a/deep", "link", "fifo", "a/text", "empty folder", ""}) {
        REQUIRE(utimensat(AT_FDCWD, (tree / name).c_str(), old, AT_SYMLINK_NOFOLLOW) == 0);
    }
}

vault::Item item(const std::string& path, vault::FileType type) {
    vault::Item out;
    out.entry.path = path;
    out.entry.type = type;
    out.entry.mode = 0755;
    out.entry.uid = geteuid();
    out.entry.gid = getegid();
    return out;
}

}  // namespace

TEST_CASE("a tree comes back as it was, in every attribute", "[restore]") {
    const ScratchFolder from;
    fill(from);
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    const auto facts = restore(vault, into(to / "new"));
    CHECK(compare_trees(from.path(), to / "new") == std::vector<std::string>{});
    CHECK(facts.damaged_paths == 0);
    CHECK(facts.warnings.empty());
    CHECK(facts.entries == vault.source.entries);

    // An empty folder of whatever kind will do, with what mkfs puts into it.
    to.folder("empty");
    to.folder("empty/lost+found");
    REQUIRE(test::run_program({"setfacl", "-d", "-m", "u:games:rwx", to / "empty"}));
    restore(vault, into(to / "empty"));
    REQUIRE(rmdir((to / "empty/lost+found").c_str()) == 0);
    test::CompareOptions options;
    options.root_itself = false;
    CHECK(compare_trees(from.path(), to / "empty", options) == std::vector<std::string>{});
}

TEST_CASE("a folder that holds something is refused, and not touched", "[restore]") {
    const ScratchFolder from;
    from.file("file", "x");
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    to.file("mine", "x");
    struct stat before {};
    REQUIRE(stat(to.path().c_str(), &before) == 0);
    const auto facts = restore_tree(*vault.tree, vault.readers(), into(to.path()));
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Conflict);
    struct stat after {};
    REQUIRE(stat(to.path().c_str(), &after) == 0);
    CHECK(before.st_mode == after.st_mode);
    CHECK(before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
    CHECK_FALSE(path_exists(to / "file"));
    CHECK(restore_tree(*vault.tree, vault.readers(), into(to / "mine")).error().code == Errc::Io);
    CHECK(restore_tree(*vault.tree, vault.readers(), into(to / "no/way")).error().code ==
          Errc::NotFound);
}

TEST_CASE("patterns restore what they match with the folders above", "[restore]") {
    const ScratchFolder from;
    for (const char* name : {"a", "a/b", "a/b/c", "a/x", "other"}) from.folder(name);
    for (const char* name : {"a/b/c/file.txt", "a/b/c/file.bin", "a/x/y", "other/file.txt", "z"}) {
        from.file(name, name);
    }
    REQUIRE(link((from / "a/b/c/file.bin").c_str(), (from / "zz").c_str()) == 0);
    REQUIRE(chmod((from / "a/b").c_str(), 0710) == 0);
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    const auto tried = [&](const char* name, std::vector<std::string> patterns) {
        auto settings = into(to / name);
        settings.includes = std::move(patterns);
        return restore_tree(*vault.tree, vault.readers(), settings);
    };
    REQUIRE(tried("1", {"*.txt"}));
    CHECK(path_exists(to / "1/a/b/c/file.txt"));
    CHECK(path_exists(to / "1/other/file.txt"));
    CHECK_FALSE(path_exists(to / "1/a/b/c/file.bin"));
    CHECK_FALSE(path_exists(to / "1/a/x"));
    struct stat info {};
    REQUIRE(stat((to / "1/a/b").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0710);

    REQUIRE(tried("2", {"/a/b"}));
    CHECK(path_exists(to / "2/a/b/c/file.bin"));
    CHECK_FALSE(path_exists(to / "2/z"));

    REQUIRE(tried("3", {"zz"}));  // The content is with a name that is not chosen.
    CHECK(as_text(*read_file(to / "3/zz", 100)) == "a/b/c/file.bin");
    CHECK_FALSE(path_exists(to / "3/a"));

    const auto none = tried("4", {"nothing"});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::NotFound);
    CHECK_FALSE(path_exists(to / "4"));
}

TEST_CASE("damage to a chunk costs the bytes in it, and is told", "[restore]") {
    const ScratchFolder from;
    from.random_file("large", 8 << 20, 1);
    from.random_file("good", 1 << 20, 2);
    ScratchVault vault;
    vault.take(from.path());
    const auto large = vault.tree->find("large");
    REQUIRE(large);
    const auto extents = *vault.tree->extents(*large);
    REQUIRE(extents.size() > 3);
    vault.damage(extents[1].chunk);
    const ScratchFolder to;
    const auto facts = restore(vault, into(to / "new"));
    CHECK(facts.damaged_paths == 1);
    REQUIRE(facts.damaged.size() == 1);
    CHECK(facts.damaged[0].path == "large");
    CHECK(facts.damaged[0].what.starts_with(std::to_string(extents[1].length) +
                                            " bytes from byte " +
                                            std::to_string(extents[0].length)));
    std::string expected = test::random_bytes(8 << 20, 1);
    for (std::uint64_t i = 0; i < extents[1].length; ++i) expected[extents[0].length + i] = 0;
    CHECK(as_text(*read_file(to / "new/large", 8 << 20)) == expected);
    CHECK(as_text(*read_file(to / "new/good", 1 << 20)) == test::random_bytes(1 << 20, 2));
}

TEST_CASE("damage to metadata costs its entries, and the rest is restored", "[restore]") {
    const ScratchFolder from;
    from.folder("d");
    from.folder("d/e");
    for (int i = 0; i < 3000; ++i) {
        from.file("d/e/" + std::string(60, 'n') + std::to_string(10'000 + i), "x");
    }
    from.file("z", "last");
    ScratchVault vault;
    vault.take(from.path());
    REQUIRE(vault.tree->leaves() > 2);
    vault.damage(vault.tree->info(0).meta);
    // Its reader has the leaf in memory perhaps; a new one has not.
    const auto fresh = vault.readers()();
    auto tree = vault::TreeReader::open(vault.source, *fresh);
    REQUIRE(tree);
    const ScratchFolder to;
    auto facts = restore_tree(*tree, vault.readers(), into(to / "new"));
    INFO((facts ? "" : facts.error().message));
    REQUIRE(facts);
    CHECK(facts->damaged_paths == 1);
    CHECK(facts->entries == vault.source.entries - vault.tree->info(0).entries);
    CHECK(as_text(*read_file(to / "new/z", 100)) == "last");
    CHECK(path_exists(to / ("new/d/e/" + std::string(60, 'n') + "12999")));
    CHECK(facts->warnings.size() == 1);
}

TEST_CASE("a hostile snapshot does not reach outside of the folder", "[restore]") {
    const ScratchFolder outside;
    const ScratchFolder to;
    ScratchVault vault;
    auto link = item("a", vault::FileType::Symlink);
    link.entry.link_target = outside.path();
    auto file_link = item("b", vault::FileType::Symlink);
    file_link.entry.link_target = outside / "b";
    vault.take_items({item("", vault::FileType::Directory), link,
                      item("a/file", vault::FileType::Regular),
                      item("a/folder", vault::FileType::Directory),
                      item("a/folder/file", vault::FileType::Regular), file_link,
                      item("c", vault::FileType::Regular), item("c/d", vault::FileType::Fifo)});
    const auto facts = restore(vault, into(to / "new"));
    CHECK(facts.damaged_paths >= 2);
    CHECK(rmdir((outside.path() + "/a").c_str()) != 0);
    const ScratchFolder nothing;
    test::CompareOptions names_only;
    names_only.root_itself = false;
    CHECK(compare_trees(nothing.path(), outside.path(), names_only).empty());

    auto dots = item("..", vault::FileType::Directory);
    vault.take_items(
        {item("", vault::FileType::Directory), dots, item("../escaped", vault::FileType::Regular)});
    const auto refused = restore(vault, into(to / "dots"));  // The parser calls the leaf damaged.
    CHECK(refused.damaged_paths == 1);
    CHECK_FALSE(path_exists(to / "escaped"));
}

TEST_CASE("content that does not add up is damage, not a crash", "[restore]") {
    ScratchVault vault;
    auto lacking = item("lacking", vault::FileType::Regular);
    lacking.entry.size = 10;
    auto huge = item("huge", vault::FileType::Regular);
    huge.entry.size = 1ULL << 62;
    huge.content.extents.push_back({1ULL << 62, {}, 0, false});
    auto absent = item("absent", vault::FileType::Regular);
    absent.entry.size = 10;
    absent.content.extents.push_back({10, vault::system_random().id<ChunkId>(), 0, true});
    vault.take_items({item("", vault::FileType::Directory), absent, huge, lacking});
    const ScratchFolder to;
    const auto facts = restore(vault, into(to / "new"));
    CHECK(facts.damaged_paths == 3);
    CHECK(facts.damaged.size() == 3);
}

TEST_CASE("a full disk stops the restore", "[restore]") {
    if (geteuid() != 0) return;
    const ScratchFolder from;
    from.random_file("file", 6 << 20, 1);
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    if (mount("tmpfs", to.path().c_str(), "tmpfs", 0, "size=3m") != 0) return;
    const auto facts = restore_tree(*vault.tree, vault.readers(), into(to.path()));
    REQUIRE(umount2(to.path().c_str(), MNT_DETACH) == 0);
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Full);
}

TEST_CASE("a restore stops when it is told to", "[restore]") {
    const ScratchFolder from;
    from.file("file", "x");
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    RestoreProgress progress;
    progress.stop = true;
    auto settings = into(to / "new");
    settings.progress = &progress;
    const auto facts = restore_tree(*vault.tree, vault.readers(), settings);
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Interrupted);
}

TEST_CASE("a content key that is not here stops the restore", "[restore]") {
    const ScratchFolder from;
    from.file("file", std::string(1000, 'x'));
    ScratchVault vault;
    vault.take(from.path());
    const auto leaf = vault.tree->leaf(0);  // Now in the reader's memory.
    REQUIRE(leaf);
    vault.keys.forget_content(vault.keys.epochs()[0]);
    const ScratchFolder to;
    const auto facts = restore_tree(*vault.tree, vault.readers(), into(to / "new"));
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Locked);
}

TEST_CASE("without root the owners stay one's own, and programs lose their set-id bits",
          "[restore]") {
    if (geteuid() != 0) return;
    const ScratchFolder from;
    from.file("tool", "#!");
    REQUIRE(chmod((from / "tool").c_str(), 06755) == 0);
    REQUIRE(mknod((from / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
    REQUIRE(setxattr((from / "tool").c_str(), "trusted.t", "t", 1, 0) == 0);
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    REQUIRE(chown(to.path().c_str(), 65534, 65534) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(10);
        auto facts = restore_tree(*vault.tree, vault.readers(), into(to / "new"));
        if (!facts || facts->damaged_paths != 0) _exit(11);
        struct stat info {};
        if (stat((to / "new/tool").c_str(), &info) != 0 || info.st_uid != 65534) _exit(12);
        if ((info.st_mode & 07777) != 0755) _exit(13);
        _exit(facts->warnings.size() == 3 && !path_exists(to / "new/null") ? 0 : 14);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("owners can go by name, where this machine knows the name", "[restore]") {
    if (geteuid() != 0) return;
    ScratchVault vault;
    auto known = item("known", vault::FileType::Regular);
    known.entry.uid = known.entry.gid = 77'777;
    known.entry.user = "daemon";
    known.entry.group = "daemon";
    auto unknown = item("unknown", vault::FileType::Regular);
    unknown.entry.uid = unknown.entry.gid = 77'777;
    unknown.entry.user = "nobody-here-has-this-name";
    vault.take_items({item("", vault::FileType::Directory), known, unknown});
    const ScratchFolder to;
    auto settings = into(to / "new");
    settings.owners.by_name();
    restore(vault, settings);
    struct stat info {};
    REQUIRE(stat((to / "new/known").c_str(), &info) == 0);
    CHECK(info.st_uid == 1);
    CHECK(info.st_gid == 1);
    REQUIRE(stat((to / "new/unknown").c_str(), &info) == 0);
    CHECK(info.st_uid == 77'777);
}

TEST_CASE("a tree deeper than a path may be long comes back", "[restore]") {
    const ScratchFolder from;
    int at = open(from.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::string name(39, 'd');
    for (int i = 0; i < 102; ++i) {  // 4079 bytes below the folder, so more than 4096 from '/'.
        REQUIRE(mkdirat(at, name.c_str(), 0755) == 0);
        const int next = openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
    ScratchVault vault;
    vault.take(from.path());
    const ScratchFolder to;
    const auto facts = restore(vault, into(to / "new"));
    CHECK(facts.folders == 103);
    CHECK(facts.damaged_paths == 0);
}
