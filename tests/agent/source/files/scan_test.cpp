// What the scanner takes, leaves out, and says of a tree that changes under it.
#include "agent/source/files/copy.h"
#include "tests/agent/source/files/collecting_sink.h"
#include "tests/harness/scratch_folder.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::CollectingSink;
using holdfast::test::ScratchFolder;

namespace {

files::FilesFacts copy(const files::FilesSettings& settings, CollectingSink& sink) {
    auto facts = files::copy_tree(settings, sink, {});
    INFO((facts ? "" : facts.error().message));
    REQUIRE(facts);
    return *facts;
}

files::FilesSettings all_of(const ScratchFolder& tree) {
    files::FilesSettings settings;
    settings.folder = tree.path();
    return settings;
}

void append(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::app) << text;
}

}  // namespace

TEST_CASE("a file that the snapshot before has is not opened", "[files]") {
    const ScratchFolder tree;
    tree.file("same", "same");
    tree.file("grows", "grows");
    CollectingSink first;
    copy(all_of(tree), first);
    append(tree / "grows", "!");
    CollectingSink second;
    second.before = &first;
    const auto facts = copy(all_of(tree), second);
    CHECK(second.at("same").unchanged);
    CHECK_FALSE(second.at("grows").unchanged);
    CHECK(as_text(second.at("grows").content) == "grows!");
    CHECK(facts.unchanged == 1);
    CHECK(facts.read_bytes == 6);
    CHECK(facts.files == 2);
    CHECK(facts.bytes == 10);
}

TEST_CASE("a write in the same tick as the read is not missed by the next snapshot", "[files]") {
    const ScratchFolder tree;
    for (int round = 0; round < 20; ++round) {
        tree.file("file", "old");
        CollectingSink first;
        copy(all_of(tree), first);
        tree.file("file", "new");
        CollectingSink second;
        second.before = &first;
        copy(all_of(tree), second);
        REQUIRE(as_text(second.at("file").content) == "new");
    }
}

TEST_CASE("excluded paths leave no trace", "[files]") {
    const ScratchFolder tree;
    for (const char* name : {"cache", "src", "src/build", "src/deep", "src/deep/build"}) {
        tree.folder(name);
    }
    for (const char* name : {"cache/x", "a.tmp", "src/a.tmp", "src/build/o", "src/deep/build/o",
                             "src/keep.c", "src/deep/keep.c", "file7", "file8"}) {
        tree.file(name, "x");
    }
    auto settings = all_of(tree);
    settings.excludes = {"*.tmp", "/cache", "src/**/build/", "file[0-7]"};
    CollectingSink sink;
    const auto facts = copy(settings, sink);
    std::vector<std::string> paths;
    for (const auto& item : sink.items) paths.push_back(item.entry.path);
    CHECK(paths == std::vector<std::string>{"", "file8", "src", "src/deep", "src/deep/keep.c",
                                            "src/keep.c"});
    CHECK(facts.excluded == 6);
}

TEST_CASE("a cache folder keeps its tag alone, if that is wanted", "[files]") {
    const ScratchFolder tree;
    tree.folder("cache");
    tree.file("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# by a test\n");
    tree.file("cache/large", "x");
    tree.folder("false");
    tree.file("false/CACHEDIR.TAG", "no signature");
    tree.file("false/kept", "x");
    auto settings = all_of(tree);
    CollectingSink all;
    copy(settings, all);
    CHECK(all.find("cache/large") != nullptr);
    settings.skip_caches = true;
    CollectingSink sink;
    copy(settings, sink);
    CHECK(sink.find("cache/large") == nullptr);
    CHECK(sink.find("cache/CACHEDIR.TAG") != nullptr);
    CHECK(sink.find("false/kept") != nullptr);
}

TEST_CASE("other file systems are entered unless told not to, the kernel's never", "[files]") {
    if (geteuid() != 0) return;
    const ScratchFolder tree;
    tree.folder("mounted");
    tree.folder("proc");
    if (mount("tmpfs", (tree / "mounted").c_str(), "tmpfs", 0, "size=1m") != 0) return;
    REQUIRE(mount("proc", (tree / "proc").c_str(), "proc", 0, nullptr) == 0);
    tree.file("mounted/inside", "x");
    CollectingSink all;
    copy(all_of(tree), all);
    auto settings = all_of(tree);
    settings.one_file_system = true;
    CollectingSink one;
    copy(settings, one);
    umount((tree / "mounted").c_str());
    umount((tree / "proc").c_str());
    CHECK(all.find("mounted/inside") != nullptr);
    CHECK(all.find("proc") != nullptr);
    CHECK(all.find("proc/1") == nullptr);
    CHECK(one.find("mounted") != nullptr);
    CHECK(one.find("mounted/inside") == nullptr);
}

TEST_CASE("what cannot be read is named, and the copy goes on", "[files]") {
    const ScratchFolder tree;
    tree.file("a-secret", "x");
    tree.folder("b-closed");
    tree.file("b-closed/inside", "x");
    tree.file("c-open", "x");
    REQUIRE(chmod((tree / "a-secret").c_str(), 0) == 0);
    REQUIRE(chmod((tree / "b-closed").c_str(), 0) == 0);
    REQUIRE(chmod(tree.path().c_str(), 0755) == 0);
    // Root may read everything, so the copy runs as nobody in a child; it answers by its exit code.
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(10);
        CollectingSink sink;
        auto facts = files::copy_tree(all_of(tree), sink, {});
        if (!facts || facts->unreadable != 2 || facts->warnings != 2) _exit(11);
        if (!sink.warned_of("a-secret") || !sink.warned_of("b-closed")) _exit(12);
        if (sink.find("a-secret") != nullptr || sink.find("b-closed") == nullptr) _exit(13);
        if (sink.find("c-open") == nullptr || sink.find("b-closed/inside") != nullptr) _exit(14);
        _exit(sink.warnings[0].what == "cannot be read: Permission denied" ? 0 : 15);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
    REQUIRE(chmod((tree / "b-closed").c_str(), 0755) == 0);
}

TEST_CASE("a read that the device refuses is named, and leaves no content behind", "[files]") {
    // The kernel answers reads of this file of a loopback interface with EINVAL.
    const std::string folder = "/sys/class/net/lo/";
    std::ifstream speed(folder + "speed");
    std::string line;
    if (!speed.is_open() || std::getline(speed, line)) return;
    files::FilesSettings settings;
    settings.folder = folder;
    settings.excludes = {"?*/", "subsystem"};
    CollectingSink sink;
    const auto facts = copy(settings, sink);
    CHECK(facts.unreadable >= 1);
    CHECK(sink.warned_of("speed"));
    CHECK(sink.find("speed") == nullptr);
    CHECK(sink.find("mtu") != nullptr);
}

TEST_CASE("a file that rests again is read again without a warning", "[files]") {
    const ScratchFolder tree;
    tree.random_file("file", 3 << 20, 1);
    CollectingSink sink;
    int writes = 0;
    sink.on_write = [&] {
        if (++writes == 2) append(tree / "file", "more");
    };
    const auto facts = copy(all_of(tree), sink);
    CHECK(sink.contents_begun == 2);
    CHECK(as_text(sink.at("file").content) == test::random_bytes(3 << 20, 1) + "more");
    CHECK(facts.changed == 0);
    CHECK(sink.warnings.empty());
}

TEST_CASE("a file that never rests is kept with a warning, after three reads", "[files]") {
    const ScratchFolder tree;
    tree.random_file("grows", 1 << 20, 1);
    tree.random_file("shrinks", 2 << 20, 2);
    CollectingSink sink;
    sink.on_write = [&] {
        append(tree / "grows", "more");
        if (sink.find("grows") == nullptr) return;
        struct stat info {};
        REQUIRE(stat((tree / "shrinks").c_str(), &info) == 0);
        REQUIRE(truncate((tree / "shrinks").c_str(), info.st_size * 3 / 4) == 0);
    };
    const auto facts = copy(all_of(tree), sink);
    CHECK(sink.contents_begun == 6);
    CHECK(facts.changed == 2);
    CHECK(sink.warned_of("grows"));
    CHECK(sink.warned_of("shrinks"));
    CHECK(sink.at("grows").entry.size == sink.at("grows").content.size());

    CollectingSink next;  // The entry must not pass for what is there now.
    next.before = &sink;
    copy(all_of(tree), next);
    CHECK_FALSE(next.at("grows").unchanged);
}

TEST_CASE("what vanishes during the scan is counted, not warned of", "[files]") {
    const ScratchFolder tree;
    tree.file("a", "x");
    tree.file("b", "x");
    tree.folder("c");
    tree.file("c/inside", "x");
    tree.file("d", "x");
    CollectingSink sink;
    sink.on_add = [&](const vault::Entry& entry) -> Result<void> {
        if (entry.path == "a") REQUIRE(test::run_program({"rm", "-r", tree / "b", tree / "c"}));
        return {};
    };
    sink.on_ask = [&](const vault::Entry& entry) {
        if (entry.path == "d") unlink((tree / "d").c_str());
    };
    const auto facts = copy(all_of(tree), sink);
    CHECK(facts.vanished == 3);
    CHECK(facts.warnings == 0);
    CHECK(sink.items.size() == 2);
}

TEST_CASE("a folder swapped for a link during the scan is not followed", "[files]") {
    const ScratchFolder tree;
    const ScratchFolder outside;
    outside.file("secret", "x");
    tree.folder("a");
    tree.file("a/1", "x");
    tree.folder("b");
    CollectingSink sink;
    sink.on_add = [&](const vault::Entry& entry) -> Result<void> {
        if (entry.path != "a/1") return {};
        REQUIRE(rmdir((tree / "b").c_str()) == 0);
        REQUIRE(symlink(outside.path().c_str(), (tree / "b").c_str()) == 0);
        return {};
    };
    copy(all_of(tree), sink);
    CHECK(sink.at("b").entry.type == vault::FileType::Symlink);
    CHECK(sink.find("b/secret") == nullptr);
}

TEST_CASE("a tree deeper than the open descriptors is copied whole", "[files]") {
    const ScratchFolder tree;
    const int depth = 1500;
    int at = open(tree.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; ++i) {
        REQUIRE(mkdirat(at, "d", 0755) == 0);
        REQUIRE(mkdirat(at, "z", 0755) == 0);  // Visited on the way back.
        const int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        REQUIRE(next >= 0);
        close(at);
        at = next;
    }
    close(at);
    CollectingSink sink;
    copy(all_of(tree), sink);
    CHECK(sink.items.size() == 1 + 2 * depth);
    CHECK(sink.warnings.empty());
}

TEST_CASE("a path over the limit is left out with a warning", "[files]") {
    const ScratchFolder tree;
    const std::string name(250, 'n');
    int at = open(tree.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 18; ++i) {
        REQUIRE(mkdirat(at, name.c_str(), 0755) == 0);
        const int next = openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
    tree.file("z", "x");
    CollectingSink sink;
    const auto facts = copy(all_of(tree), sink);
    CHECK(sink.items.size() == 1 + 16 + 1);
    CHECK(facts.unreadable == 1);
    CHECK(sink.warnings.size() == 1);
}

TEST_CASE("a copy stops when it is told to", "[files]") {
    const ScratchFolder tree;
    for (int i = 0; i < 200; ++i) tree.file("f" + std::to_string(i), "x");
    CollectingSink sink;
    const auto facts =
        files::copy_tree(all_of(tree), sink, [](const files::FilesFacts&) { return false; });
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Interrupted);
}

TEST_CASE("wrong settings are told apart", "[files]") {
    CollectingSink sink;
    files::FilesSettings settings;
    settings.folder = "relative";
    CHECK(files::copy_tree(settings, sink, {}).error().code == Errc::Invalid);
    settings.folder = "/no/such/folder";
    CHECK(files::copy_tree(settings, sink, {}).error().code == Errc::NotFound);
    settings.folder = "/tmp";
    settings.excludes = {"[a"};
    const auto wrong = files::copy_tree(settings, sink, {});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message == "excludes: pattern \"[a\": a '[' without its ']'");
}

TEST_CASE("the sink's error ends the copy", "[files]") {
    const ScratchFolder tree;
    tree.file("a", "x");
    CollectingSink sink;
    sink.on_add = [](const vault::Entry& entry) -> Result<void> {
        if (entry.path == "a") return Error{Errc::Full, "the vault is full"};
        return {};
    };
    const auto facts = files::copy_tree(all_of(tree), sink, {});
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Full);
}
