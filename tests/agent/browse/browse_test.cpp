// Listing, reading and comparing snapshots: against the folders they were taken of, and with the
// leaves damaged that must not be read.
#include "agent/browse/content.h"
#include "agent/browse/difference.h"
#include "agent/browse/list_folder.h"
#include "tests/agent/restore/scratch_vault.h"
#include "tests/harness/scratch_folder.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::ScratchFolder;
using holdfast::test::ScratchVault;

namespace {

/// More files than one leaf of metadata holds, in folders and by themselves.
void fill(const ScratchFolder& folder) {
    for (const std::string name : {"a", "middle", "middle/deep", "middle/deep/er", "z"}) {
        folder.folder(name);
    }
    for (int i = 0; i < 900; ++i) {
        const std::string number = std::to_string(1000 + i);
        folder.file("a/" + number, "first " + number);
        folder.file("middle/deep/er/" + number, "deep " + number);
        folder.file("z/" + number, "last " + number);
    }
    folder.file("middle/alone", "one");
    folder.file("middle/zero", "");
}

std::set<std::string> on_disk(const std::string& root, const std::string& below, bool deep) {
    std::set<std::string> paths;
    const auto take = [&](const auto& each) {
        paths.insert(std::filesystem::relative(each.path(), root).string());
    };
    const std::string at = root + (below.empty() ? "" : "/" + below);
    if (deep) {
        for (const auto& each : std::filesystem::recursive_directory_iterator(at)) take(each);
    } else {
        for (const auto& each : std::filesystem::directory_iterator(at)) take(each);
    }
    return paths;
}

std::vector<std::string> listed(const vault::TreeReader& tree, const std::string& path, bool deep) {
    std::vector<std::string> paths;
    const auto done = list_folder(tree, path, deep, [&](const vault::Item& item) -> Result<void> {
        paths.push_back(item.entry.path);
        return {};
    });
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
    CHECK(std::is_sorted(paths.begin(), paths.end(), [](const auto& a, const auto& b) {
        return vault::compare_paths(a, b) < 0;
    }));
    return paths;
}

std::string poured(const vault::TreeReader& tree, ScratchVault& vault, const std::string& path) {
    const auto chunks = vault.readers()();
    std::string content;
    const auto done = pour_file(tree, *chunks, path, [&](View bytes) -> Result<void> {
        content += as_text(bytes);
        return {};
    });
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
    return content;
}

std::string file_text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// A tree with the reader that it stands on.
struct Kept {
    Kept(ScratchVault& vault, const vault::SourceTree& source)
        : chunks(vault.readers()()), tree(*vault::TreeReader::open(source, *chunks)) {}
    std::unique_ptr<vault::ChunkReader> chunks;
    vault::TreeReader tree;
};

/// "M path" for each change, those of attributes left out unless `all`.
std::vector<std::string> changes(const Kept& before, const Kept& after, bool all = false) {
    std::vector<std::string> out;
    const auto visit = [&](Change change, const vault::Entry* one,
                           const vault::Entry* other) -> Result<void> {
        if (change == Change::Attributes && !all) return {};
        const vault::Entry& shown = other != nullptr ? *other : *one;
        out.push_back(std::string(1, static_cast<char>(change)) + " " + shown.path);
        return {};
    };
    const auto done = agent::compare_trees({&before.tree, before.chunks.get()},
                                           {&after.tree, after.chunks.get()}, visit);
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
    return out;
}

}  // namespace

TEST_CASE("a folder lists what it holds, and all below it if asked", "[browse]") {
    const ScratchFolder from;
    fill(from);
    ScratchVault vault;
    vault.take(from.path());
    REQUIRE(vault.tree->leaves() > 4);
    for (const std::string folder : {"", "a", "middle", "middle/deep", "middle/deep/er", "z"}) {
        for (const bool deep : {false, true}) {
            INFO(folder << (deep ? ", deep" : ""));
            const auto paths = listed(*vault.tree, folder, deep);
            const std::set<std::string> set(paths.begin(), paths.end());
            CHECK(paths.size() == set.size());
            CHECK(set == on_disk(from.path(), folder, deep));
        }
    }
    CHECK(listed(*vault.tree, "middle/alone", false) == std::vector<std::string>{"middle/alone"});
    const auto none = [](const vault::Item&) { return Result<void>(); };
    CHECK(list_folder(*vault.tree, "mid", false, none).error().code == Errc::NotFound);
}

TEST_CASE("a list does not read leaves of the folders below", "[browse]") {
    const ScratchFolder from;
    fill(from);
    ScratchVault vault;
    vault.take(from.path());
    std::size_t damaged = 0;
    for (std::size_t i = 0; i + 1 < vault.tree->leaves(); ++i) {
        const bool inside = vault.tree->info(i).first_path.starts_with("middle/deep/er/") &&
                            vault.tree->info(i + 1).first_path.starts_with("middle/deep/er/");
        if (!inside) continue;
        vault.damage(vault.tree->info(i).meta);
        ++damaged;
    }
    REQUIRE(damaged > 0);
    const Kept kept(vault, vault.source);
    CHECK(listed(kept.tree, "middle", false).size() == 3);
    const auto none = [](const vault::Item&) { return Result<void>(); };
    CHECK(list_folder(kept.tree, "middle", true, none).error().code == Errc::Corrupt);
}

TEST_CASE("a file pours out as it was, by each of its links, with its holes", "[browse]") {
    const ScratchFolder from;
    from.random_file("large", 9'000'000, 1);
    from.file("empty", "");
    REQUIRE(link((from / "large").c_str(), (from / "other link").c_str()) == 0);
    from.file("sparse", "head");
    REQUIRE(truncate((from / "sparse").c_str(), 3'000'000) == 0);
    REQUIRE(symlink("large", (from / "symbolic").c_str()) == 0);
    ScratchVault vault;
    vault.take(from.path());
    for (const char* name : {"large", "empty", "other link", "sparse"}) {
        INFO(name);
        CHECK(poured(*vault.tree, vault, name) == file_text(from / name));
    }
    const auto chunks = vault.readers()();
    const auto none = [](View) { return Result<void>(); };
    CHECK(pour_file(*vault.tree, *chunks, "", none).error().code == Errc::Invalid);
    const auto link = pour_file(*vault.tree, *chunks, "symbolic", none);
    CHECK(link.error().message == "symbolic is a symbolic link to large, not a file");
    CHECK(pour_file(*vault.tree, *chunks, "absent", none).error().code == Errc::NotFound);
}

TEST_CASE("each kind of change is told, and what only looks like one is not", "[browse]") {
    const ScratchFolder from;
    from.folder("sub");
    for (const std::string name : {"gone", "grows", "same size", "touched", "turns", "sub/kept"}) {
        from.file(name, "text of " + name);
    }
    from.random_file("large", 6'000'000, 2);
    from.file("linked", "two names");
    REQUIRE(link((from / "linked").c_str(), (from / "sub/linked too").c_str()) == 0);
    from.file("pair", "old text");
    REQUIRE(link((from / "pair").c_str(), (from / "sub/pair too").c_str()) == 0);
    ScratchVault vault;
    vault.take(from.path());
    const Kept before(vault, vault.source);
    CHECK(changes(before, before, true).empty());

    REQUIRE(unlink((from / "gone").c_str()) == 0);
    from.file("grows", "text of grows and more");
    from.file("same size", "TEXT of same size");
    from.file("touched", "text of touched");
    from.file("pair", "new text");
    REQUIRE(unlink((from / "turns").c_str()) == 0);
    from.folder("turns");
    from.file("turns/new", "text of turns");
    std::fstream large(from / "large", std::ios::in | std::ios::out | std::ios::binary);
    large.seekp(3'000'000).put('!');
    large.close();
    std::filesystem::last_write_time(from / "linked", std::filesystem::file_time_type{});
    vault.take(from.path());
    const Kept after(vault, vault.source);
    const std::vector<std::string> expected{"- gone",  "M grows",     "M large",
                                            "M pair",  "M same size", "M sub/pair too",
                                            "T turns", "+ turns/new"};
    CHECK(changes(before, after) == expected);
    const auto all = changes(before, after, true);
    for (const char* line : {"U touched", "U linked", "U sub/linked too"}) {
        INFO(line);
        CHECK(std::count(all.begin(), all.end(), line) == 1);
    }
    const std::vector<std::string> backwards{"+ gone",  "M grows",     "M large",
                                             "M pair",  "M same size", "M sub/pair too",
                                             "T turns", "- turns/new"};
    CHECK(changes(after, before) == backwards);
}

TEST_CASE("attributes alone are told apart from what only the file system notes", "[browse]") {
    const ScratchFolder from;
    for (const char* name : {"back again", "mode", "replaced"}) from.file(name, "as ever");
    ScratchVault vault;
    vault.take(from.path());
    const Kept before(vault, vault.source);
    REQUIRE(chmod((from / "mode").c_str(), 0600) == 0);
    vault.take(from.path());
    const Kept after(vault, vault.source);
    CHECK(changes(before, after, true) == std::vector<std::string>{"U mode"});

    // A change time of its own, then an inode of its own.
    REQUIRE(chmod((from / "back again").c_str(), 0600) == 0);
    REQUIRE(chmod((from / "back again").c_str(), before.tree.find("back again")->entry.mode) == 0);
    REQUIRE(holdfast::test::run_program({"sh", "-c",
                                         "cp -p \"$0/replaced\" \"$0.copy\" && "
                                         "mv \"$0.copy\" \"$0/replaced\" && "
                                         "touch -d \"@$1\" \"$0\"",
                                         from.path(), "1000000000"}));
    vault.take(from.path());
    const Kept later(vault, vault.source);
    REQUIRE(later.tree.find("replaced")->entry.inode != after.tree.find("replaced")->entry.inode);
    REQUIRE(later.tree.find("back again")->entry.ctime_ns !=
            after.tree.find("back again")->entry.ctime_ns);
    CHECK(changes(after, later, true) == std::vector<std::string>{"U "});  // The root's time.
}

TEST_CASE("a comparison does not read the leaves that both share", "[browse]") {
    const ScratchFolder from;
    for (const std::string name : {"a", "z"}) {
        from.folder(name);  // Empty files: no chunk of content that a change would cut anew.
        for (int i = 1000; i < 2500; ++i) from.file(name + "/" + std::to_string(i), "");
    }
    ScratchVault vault;
    vault.take(from.path());
    const vault::SourceTree first = vault.source;
    std::set<std::pair<ChunkId, ChunkId>> shared;
    const auto leaf = [&](std::size_t i) {
        return std::pair(vault.tree->info(i).meta, vault.tree->info(i).refs);
    };
    for (std::size_t i = 0; i < vault.tree->leaves(); ++i) shared.insert(leaf(i));
    from.file("a/1450", "changed");
    from.file("z/1450 and a half", "added");
    vault.take(from.path());
    std::size_t damaged = 0;
    for (std::size_t i = 0; i < vault.tree->leaves(); ++i) {
        if (!shared.contains(leaf(i))) continue;
        vault.damage(vault.tree->info(i).meta);
        ++damaged;
    }
    CAPTURE(damaged, vault.tree->leaves());
    REQUIRE(damaged > 1);
    const Kept before(vault, first);
    const Kept after(vault, vault.source);
    CHECK(changes(before, after) == std::vector<std::string>{"M a/1450", "+ z/1450 and a half"});
}

TEST_CASE("what is damaged is poured as zeros, its extent alone, and what follows is whole",
          "[browse]") {
    const ScratchFolder folder;
    folder.folder("in");
    folder.file("in/one", "whole text");
    ScratchVault vault;
    vault.take(folder.path() + "/in");
    const auto chunks = vault.readers()();
    const auto item = vault.tree->find("one");
    REQUIRE(item);
    const auto whole = extents_of_file(*vault.tree, *item);
    REQUIRE(whole);
    REQUIRE(whole->size() == 1);
    const std::uint64_t lost_bytes = 200'000;  // More than one step of zeros.
    const vault::Extent lost{lost_bytes, vault::system_random().id<ChunkId>()};
    const vault::Extents extents{whole->front(), lost, whole->front(), lost};
    std::string content;
    const auto take = [&](View bytes) -> Result<void> {
        content += as_text(bytes);
        return {};
    };
    SECTION("as the caller wants it") {
        int told = 0;
        const auto done =
            pour_extents(extents, *chunks, take, [&](const Error& why) -> Result<void> {
                CHECK(why.code == Errc::NotFound);
                ++told;
                return {};
            });
        REQUIRE(done);
        CHECK(told == 2);
        const std::string zeros(lost_bytes, '\0');
        CHECK(content == "whole text" + zeros + "whole text" + zeros);
    }
    SECTION("or it ends there") {
        const auto done = pour_extents(extents, *chunks, take,
                                       [](const Error& why) { return Result<void>(why); });
        REQUIRE(!done);
        CHECK(done.error().code == Errc::NotFound);
        CHECK(content == "whole text");
    }
}
