// Restoring into a folder in use: what stays, what goes, and that nothing outside is touched.
#include "agent/restore/overwrite.h"

#include "tests/agent/restore/scratch_vault.h"
#include "tests/harness/scratch_folder.h"
#include "tests/harness/tree_compare.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::compare_trees;
using holdfast::test::ScratchFolder;
using holdfast::test::ScratchVault;

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_bytes_max = 1 << 20;

void put(const std::string& path, const std::string& content) {
    fs::remove(path);
    const auto fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    REQUIRE(fd);
    REQUIRE(write_all(*fd, as_view(content), path));
}

std::string content(const std::string& path) {
    const auto bytes = read_file(path, file_bytes_max);
    REQUIRE(bytes);
    return std::string(as_text(*bytes));
}

void check_nothing_left(const std::string& folder) {
    for (const auto& each : fs::recursive_directory_iterator(folder)) {
        CHECK(each.path().filename().string().find(".holdfast") == std::string::npos);
    }
}

/// A vault of a small tree, and a copy of it to restore into.
struct InUse {
    InUse() {
        from.folder("ward");
        from.file("ward/letter", "the snapshot's");
        from.file("ward/list", std::string(50'000, 'l'));
        from.file("top", "top");
        REQUIRE(symlink("ward/letter", (from / "link").c_str()) == 0);
        REQUIRE(link((from / "top").c_str(), (from / "top too").c_str()) == 0);
        REQUIRE(mkfifo((from / "fifo").c_str(), 0600) == 0);
        vault.take(from.path());
        REQUIRE(test::run_program({"cp", "-a", from.path() + "/.", to.path()}));
    }
    RestoreFacts restore(Overwrite overwrite) {
        RestoreSettings settings;
        settings.folder = to.path();
        settings.overwrite = overwrite;
        settings.workers = 2;
        auto facts = restore_tree(*vault.tree, vault.readers(), settings);
        INFO((facts ? "" : facts.error().message));
        REQUIRE(facts);
        return *facts;
    }
    std::vector<std::string> differences() const { return compare_trees(from.path(), to.path()); }

    ScratchFolder from, to, outside;
    ScratchVault vault;
};

}  // namespace

TEST_CASE("what is as the snapshot says stays, and all else comes back", "[overwrite]") {
    InUse in_use;
    CHECK(in_use.restore(Overwrite::IfChanged).kept == 5);  // But for the second name of "top".
    CHECK(in_use.differences().empty());
    put(in_use.to / "ward/letter", "another");
    fs::remove(in_use.to / "link");
    fs::remove(in_use.to / "top too");
    put(in_use.to / "top too", "top");
    fs::permissions(in_use.to / "ward/list", fs::perms::owner_read);
    const RestoreFacts facts = in_use.restore(Overwrite::IfChanged);
    CHECK(facts.kept == 3);
    CHECK(facts.damaged_paths == 0);
    CHECK(in_use.differences().empty());
    CHECK(in_use.restore(Overwrite::Always).kept == 0);
    CHECK(in_use.differences().empty());
}

TEST_CASE("other kinds of things make way, but for folders that are not empty", "[overwrite]") {
    InUse in_use;
    fs::remove_all(in_use.to / "ward");
    put(in_use.to / "ward", "a file in a folder's place");
    fs::remove(in_use.to / "fifo");
    fs::create_directory(in_use.to / "fifo");
    fs::remove(in_use.to / "top");
    fs::create_directories(in_use.to / "top/full");
    const RestoreFacts facts = in_use.restore(Overwrite::IfChanged);
    CHECK(facts.damaged_paths >= 1);
    REQUIRE_FALSE(facts.damaged.empty());
    CHECK(facts.damaged[0].path == "top");
    CHECK(facts.damaged[0].what.find("not empty") != std::string::npos);
    CHECK(fs::is_directory(in_use.to / "top/full"));
    CHECK(content(in_use.to / "ward/letter") == "the snapshot's");
    CHECK(fs::is_fifo(in_use.to / "fifo"));
}

TEST_CASE("who overwrites nothing changes nothing, not even a folder's time", "[overwrite]") {
    InUse in_use;
    put(in_use.to / "ward/letter", "another");
    fs::remove(in_use.to / "ward/list");
    fs::permissions(in_use.to / "ward", fs::perms::owner_all);
    struct stat before {};
    const RestoreFacts facts = in_use.restore(Overwrite::Never);
    CHECK(facts.kept == 4);
    CHECK(content(in_use.to / "ward/letter") == "another");
    CHECK(content(in_use.to / "ward/list").size() == 50'000);
    REQUIRE(stat((in_use.to / "ward").c_str(), &before) == 0);
    CHECK((before.st_mode & 07777) == 0700);
}

TEST_CASE("a link in a folder's place leads nowhere", "[overwrite]") {
    InUse in_use;
    in_use.outside.file("letter", "outside");
    fs::remove_all(in_use.to / "ward");
    fs::create_directory_symlink(in_use.outside.path(), in_use.to / "ward");
    fs::remove(in_use.to / "top");
    fs::create_symlink(in_use.outside / "letter", in_use.to / "top");
    for (const Overwrite overwrite : {Overwrite::Never, Overwrite::IfChanged}) {
        in_use.restore(overwrite);
        CHECK(content(in_use.outside / "letter") == "outside");
        CHECK(std::distance(fs::directory_iterator(in_use.outside.path()), {}) == 1);
    }
    CHECK(in_use.differences().empty());
}

TEST_CASE("a file that the vault has lost in part does not replace another", "[overwrite]") {
    InUse in_use;
    put(in_use.to / "ward/list", "yesterday's");
    const auto item = in_use.vault.tree->find("ward/list");
    REQUIRE(item);
    const auto extents = in_use.vault.tree->extents(*item);
    REQUIRE(extents);
    in_use.vault.damage(extents->front().chunk);
    const RestoreFacts facts = in_use.restore(Overwrite::Always);
    CHECK(facts.damaged_paths >= 1);
    CHECK(content(in_use.to / "ward/list") == "yesterday's");
    check_nothing_left(in_use.to.path());
    fs::remove(in_use.to / "ward/list");
    in_use.restore(Overwrite::Always);
    CHECK(content(in_use.to / "ward/list").size() == 50'000);  // Better than nothing, and told.
    check_nothing_left(in_use.to.path());
}

TEST_CASE("the words for overwriting", "[overwrite]") {
    CHECK(*parse_overwrite("if-older") == Overwrite::IfOlder);
    CHECK(*parse_overwrite("always") == Overwrite::Always);
    for (const char* word : {"", "Always", "refuse", "sometimes"}) {
        const auto parsed = parse_overwrite(word);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == Errc::Invalid);
    }
}
