// The history as the kernel asks it: names, content, references; and what comes and goes.
#include "agent/history/history.h"

#include "tests/harness/scratch_folder.h"
#include "tests/vault/test_vault.h"
#include "vault/base/file.h"
#include "vault/pack/pack_writer.h"

#include <catch2/catch.hpp>

#include <cerrno>

using namespace holdfast;
using namespace holdfast::agent;
using test::TestVault;

namespace {

constexpr std::int64_t while_ms = 3000;  // Longer than a list is believed.

struct Looking {
    /// Opened when it is first looked at: a vault learns its domains when it is opened.
    History& history() {
        if (!kept) {
            opened = vault.open();
            kept.emplace(opened->reader(), vault.clock,
                         [this](const std::string& line) { log.push_back(line); });
        }
        return *kept;
    }
    vault::SnapshotRecord snapshot(const TestVault::Files& files) {
        vault.clock.wall += while_ms;
        const auto writer = vault.open();
        return vault.snapshot(*writer, files);
    }
    /// The node at a path, with a reference to each folder on the way; 0: not there.
    ArchiveNode walk(const std::string& path, struct stat* out = nullptr) {
        ArchiveNode at = archive_root;
        std::size_t start = 0;
        struct stat about {};
        while (start < path.size()) {
            const std::size_t end = std::min(path.find('/', start), path.size());
            if (history().look_up(at, path.substr(start, end - start), &about) != 0) return 0;
            held.push_back(at = about.st_ino);
            start = end + 1;
        }
        if (out != nullptr) *out = about;
        return at;
    }
    std::vector<std::string> list(ArchiveNode folder) {
        std::vector<ArchiveEntry> entries;
        REQUIRE(history().list(folder, &entries) == 0);
        std::vector<std::string> names;
        for (const ArchiveEntry& entry : entries) names.push_back(entry.name);
        return names;
    }
    std::string read(ArchiveNode node, std::uint64_t offset, std::size_t size) {
        Buffer out(size);
        std::size_t filled = 0;
        REQUIRE(history().read(node, offset, out, &filled) == 0);
        return std::string(as_text(View(out).first(filled)));
    }
    void forget_all() {
        for (auto at = held.rbegin(); at != held.rend(); ++at) history().forget(*at, 1);
        held.clear();
    }

    TestVault vault;
    std::unique_ptr<vault::Vault> opened;
    std::vector<std::string> log;
    std::vector<ArchiveNode> held;
    std::optional<History> kept;
};

}  // namespace

TEST_CASE("an empty vault has an empty history", "[history]") {
    Looking looking;
    CHECK(looking.list(archive_root).empty());
    struct stat about {};
    CHECK(looking.history().look_up(archive_root, "share", &about) == ENOENT);
    CHECK(looking.history().attributes(archive_root, &about) == 0);
    CHECK(S_ISDIR(about.st_mode));
    CHECK(looking.history().attributes(77, &about) == ENOENT);
}

TEST_CASE("files are read at any place, and what lies past their end is empty", "[history]") {
    Looking looking;
    const std::string large = holdfast::test::random_bytes(3'000'000, 1);
    const auto record = looking.snapshot({{"large", large}, {"small", "a note"}, {"pages", large}});
    const std::string folder = "share/" + format_time(record.time);
    struct stat about {};
    const ArchiveNode small = looking.walk(folder + "/small", &about);
    CHECK(about.st_size == 6);
    CHECK(looking.read(small, 0, 100) == "a note");
    CHECK(looking.read(small, 2, 2) == "no");
    CHECK(looking.read(small, 6, 10).empty());
    CHECK(looking.read(small, 1'000'000, 10).empty());
    for (const char* name : {"/large", "/pages"}) {
        const ArchiveNode node = looking.walk(folder + name);
        for (const std::uint64_t at : {0UL, 1UL, 65'535UL, 1'234'567UL, 2'999'999UL}) {
            CHECK(looking.read(node, at, 700'000) == large.substr(at, 700'000));
        }
    }
}

TEST_CASE("what is let go is dropped, and found again", "[history]") {
    Looking looking;
    looking.snapshot({{"a", "1"}, {"b", "2"}});
    std::string target;
    REQUIRE(looking.history().read_link(looking.walk("share/latest"), &target) == 0);
    REQUIRE(looking.walk("share/" + target + "/a") != 0);
    const std::size_t most = looking.history().nodes();
    looking.forget_all();
    CHECK(looking.history().nodes() < most);
    const ArchiveNode again = looking.walk("share/" + target + "/b");
    REQUIRE(again != 0);
    CHECK(looking.read(again, 0, 10) == "2");
}

TEST_CASE("a forgotten snapshot goes from the list, and who holds a file goes on", "[history]") {
    Looking looking;
    const auto first = looking.snapshot({{"a", "of the first"}});
    looking.snapshot({{"a", "of the second"}});
    const ArchiveNode file = looking.walk("share/" + format_time(first.time) + "/a");
    REQUIRE(file != 0);
    const ArchiveNode system = looking.walk("share");
    CHECK(looking.list(system).size() == 3);  // Two, and "latest".
    REQUIRE(looking.vault.open()->forget({first.id}));
    CHECK(looking.list(system).size() == 3);
    looking.vault.clock.wall += while_ms;
    CHECK(looking.list(system).size() == 2);
    CHECK(looking.walk("share/" + format_time(first.time)) == 0);
    CHECK(looking.read(file, 0, 100) == "of the first");
    looking.forget_all();
    CHECK(looking.history().nodes() == 2);  // The root, and the system.
}

TEST_CASE("snapshots of one second have names of their own", "[history]") {
    Looking looking;
    looking.snapshot({{"a", "1"}});
    looking.vault.clock.wall -= while_ms;
    const auto second = looking.snapshot({{"a", "2"}});
    const auto names = looking.list(looking.walk("share"));
    REQUIRE(names.size() == 3);
    CHECK(names[1] == names[0] + "-" + second.id.brief());
}

TEST_CASE("damage is an error of one file, and told", "[history]") {
    Looking looking;
    const auto record = looking.snapshot({{"a", holdfast::test::random_bytes(300'000, 1)}});
    const ArchiveNode file = looking.walk("share/" + format_time(record.time) + "/a");
    REQUIRE(file != 0);
    const std::string pack = looking.vault.path(vault::pack_name(record.manifest_pack));
    const Buffer nothing(vault::pack_bytes_min);
    REQUIRE(write_file_durably(pack, nothing));
    Buffer out(10);
    std::size_t filled = 0;
    CHECK(looking.history().read(file, 0, out, &filled) == EIO);
    REQUIRE(looking.log.size() == 1);
    CHECK(looking.log[0].find("/a: ") != std::string::npos);
}
