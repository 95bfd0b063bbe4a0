// A tree of which only some paths are looked at: what comes of it is what reading all would give.
#include "agent/source/files/copy.h"
#include "tests/agent/source/files/collecting_sink.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::CollectingSink;
using holdfast::test::ScratchFolder;
using journal::Change;

namespace {

namespace fs = std::filesystem;

struct PathOrder {
    bool operator()(const std::string& a, const std::string& b) const {
        return vault::compare_paths(a, b) < 0;
    }
};
/// With the bytes of files, and a mark for folders.
using Entries = std::map<std::string, std::string, PathOrder>;

std::string text_of(const test::Collected& item) {
    if (item.entry.type == vault::FileType::Directory) return "<folder>";
    return std::string(as_text(item.content));
}

/// The snapshot before, of which a copy keeps what it does not pass over.
class Before final : public KeptTree {
public:
    explicit Before(const Entries& entries) : left_(entries) {}

    Result<void> keep_until(const std::optional<std::string>& path) override {
        while (!left_.empty() && (!path || vault::compare_paths(left_.begin()->first, *path) < 0)) {
            kept.insert(left_.extract(left_.begin()));
        }
        return {};
    }
    Result<Passed> pass_over(const std::string& path, bool deep) override {
        Passed passed;
        while (!left_.empty()) {
            const auto& [at, text] = *left_.begin();
            if (at != path && !(deep && at.starts_with(path + "/"))) break;
            ++(text == "<folder>" ? passed.folders : passed.files);
            left_.erase(left_.begin());
        }
        return passed;
    }

    Entries kept;

private:
    Entries left_;
};

struct Tree {
    Tree() {
        settings.folder = folder.path();
        for (const char* name :
             {"images/1", "images/2", "letters/a/x", "letters/a/y", "letters/b"}) {
            fs::create_directories(fs::path(folder / name).parent_path());
            folder.file(name, name);
        }
    }

    Entries read() {
        CollectingSink sink;
        const auto copied = files::copy_tree(settings, sink, {});
        REQUIRE(copied);
        before = {copied->files, copied->folders, copied->excluded, *copied->links};
        return entries_of(sink);
    }

    static Entries entries_of(const CollectingSink& sink) {
        Entries out;
        for (const test::Collected& item : sink.items) out[item.entry.path] = text_of(item);
        return out;
    }

    /// What a copy over `changes` makes of `old`; none: it cannot.
    std::optional<Entries> read_changes(const Entries& old, std::vector<Change> changes) {
        const auto hold = files::links_hold(settings, before, changes);
        REQUIRE(hold);
        if (!*hold) return std::nullopt;
        Before kept(old);
        CollectingSink sink;
        const auto copied = files::copy_changes(settings, before, changes, sink, kept, {});
        REQUIRE(copied);
        if (!*copied) return std::nullopt;
        facts = **copied;
        visited = sink.items.size();
        Entries out = entries_of(sink);
        out.merge(kept.kept);
        return out;
    }

    /// As reading all now: entries and what is told of them.
    void check_as_whole(const Entries& old, const std::vector<Change>& changes) {
        const auto seen = read_changes(old, changes);
        REQUIRE(seen);
        const Entries whole = read();
        CHECK(*seen == whole);
        CHECK(facts.files == before.files);
        CHECK(facts.folders == before.folders);
        CHECK(facts.excluded == before.excluded);
    }

    ScratchFolder folder;
    files::FilesSettings settings;
    files::FilesBefore before;
    files::FilesFacts facts;
    std::size_t visited = 0;
};

}  // namespace

TEST_CASE("only what changed is looked at", "[source][files]") {
    Tree tree;
    const Entries old = tree.read();
    REQUIRE(old.size() == 9);
    tree.folder.file("images/2", "other");
    tree.check_as_whole(old, {{"images/2", false}});
    CHECK(tree.visited == 2);  // And the root.
}

TEST_CASE("what came, went, moved or became another kind", "[source][files]") {
    Tree tree;
    const Entries old = tree.read();
    fs::rename(tree.folder / "letters/a", tree.folder / "images/a");
    tree.folder.file("images/0", "new");
    fs::remove(tree.folder / "letters/b");
    fs::remove(tree.folder / "images/1");
    fs::create_directory(tree.folder / "images/1");
    tree.folder.file("images/1/in", "a folder now");
    tree.check_as_whole(old, {{"", false},
                              {"images", false},
                              {"images/0", false},
                              {"images/1", true},
                              {"images/a", true},
                              {"letters", false},
                              {"letters/a", true},
                              {"letters/b", false}});
}

TEST_CASE("a folder that was told with all in it", "[source][files]") {
    Tree tree;
    const Entries old = tree.read();
    fs::remove_all(tree.folder / "letters");
    tree.check_as_whole(old, {{"", false}, {"letters", true}});
    Tree again;
    const Entries whole = again.read();
    again.check_as_whole(whole, {{"letters", true}});
    // What was told and is gone together with its folder.
    fs::remove_all(again.folder / "letters/a");
    again.check_as_whole(whole, {{"letters", false}, {"letters/a", true}, {"letters/a/x", false}});
}

TEST_CASE("changes in an excluded folder stay out", "[source][files]") {
    Tree tree;
    tree.settings.excludes = {"/letters", "*.tmp"};
    const Entries old = tree.read();
    REQUIRE_FALSE(old.contains("letters/a/x"));
    tree.folder.file("letters/a/x", "changed");
    tree.folder.file("letters/a/z", "new");
    tree.folder.file("images/a.tmp", "passing");
    fs::remove(tree.folder / "images/a.tmp");
    tree.check_as_whole(old, {{"images/a.tmp", false},
                              {"letters", false},
                              {"letters/a", false},
                              {"letters/a/x", false},
                              {"letters/a/z", false}});
}

TEST_CASE("links send the reader to the whole tree, and only when they changed",
          "[source][files]") {
    Tree tree;
    REQUIRE(::link((tree.folder / "images/1").c_str(), (tree.folder / "letters/one").c_str()) == 0);
    const Entries old = tree.read();
    REQUIRE(tree.before.links.size() == 2);
    // Told, but as before.
    tree.folder.file("images/2", "other");
    const auto seen = tree.read_changes(old, {{"images/1", false}, {"images/2", false}});
    REQUIRE(seen);
    CHECK(seen->at("images/1") == "images/1");
    CHECK(seen->at("images/2") == "other");
    CHECK(tree.facts.links->size() == 2);
    // Another name for another file.
    const std::string third = tree.folder / "third";
    REQUIRE(::link((tree.folder / "images/2").c_str(), third.c_str()) == 0);
    CHECK_FALSE(tree.read_changes(old, {{"third", false}}));
    CHECK_FALSE(tree.read_changes(old, {{"images", true}}));  // Met on the way.
    fs::remove(third);
    // One of the names that are known.
    tree.read();
    tree.folder.file("letters/one", "through the other name");
    CHECK_FALSE(tree.read_changes(old, {}));
}

TEST_CASE("a link on the way to a change is not followed", "[source][files]") {
    Tree tree;
    const Entries old = tree.read();
    const ScratchFolder outside;
    outside.file("x", "somebody else's");
    fs::remove_all(tree.folder / "letters/a");
    fs::create_directory_symlink(outside.path(), tree.folder / "letters/a");
    tree.check_as_whole(old, {{"letters", false}, {"letters/a", true}, {"letters/a/x", false}});
}
