#include "agent/backup/tree_sink.h"

#include "tests/vault/test_vault.h"
#include "vault/snapshot/tree_reader.h"

#include <random>

using namespace holdfast;
using namespace holdfast::vault;
using agent::TreeSink;
using test::TestVault;

namespace {

struct PathOrder {
    bool operator()(const std::string& a, const std::string& b) const {
        return compare_paths(a, b) < 0;
    }
};
using Tree = std::map<std::string, Entry, PathOrder>;

Entry make_entry(const std::string& path, std::int64_t mtime, FileType type = FileType::Regular) {
    Entry entry;
    entry.path = path;
    entry.mtime_ns = mtime;
    entry.type = type;
    return entry;
}

std::string folder_name(std::size_t number) {
    return "study " + std::to_string(number);
}

/// 12,000 files in 60 folders: some twenty leaves.
Tree large_tree() {
    Tree tree;
    tree[""] = make_entry("", 1, FileType::Directory);
    for (std::size_t i = 0; i < 60; ++i) {
        const std::string folder = folder_name(i);
        tree[folder] = make_entry(folder, 1, FileType::Directory);
        for (int j = 0; j < 200; ++j) {
            const std::string path = folder + "/image " + std::to_string(j * 7919);
            tree[path] = make_entry(path, 1);
        }
    }
    return tree;
}

/// What is different in `to`, as a journal would tell it.
std::vector<std::string> changes(const Tree& from, const Tree& to) {
    std::map<std::string, int, PathOrder> found;
    for (const auto& [path, entry] : from) {
        const auto now = to.find(path);
        if (now == to.end() || now->second != entry) found[path];
    }
    for (const auto& [path, entry] : to) {
        if (!from.contains(path)) found[path];
    }
    std::vector<std::string> out;
    for (const auto& [path, unused] : found) out.push_back(path);
    return out;
}

class Snapshots {
public:
    Snapshots() : vault_(made_.open()), chunks_(vault_->reader().chunk_reader()) {}

    /// Writes a snapshot whose entries `fill` gives; answers its tree.
    template <class Fill>
    SourceTree write(const SourceTree* before, const Fill& fill) {
        std::optional<TreeReader> reader;
        if (before != nullptr) {
            auto opened = TreeReader::open(*before, *chunks_);
            REQUIRE(opened);
            reader.emplace(std::move(*opened));
        }
        const auto writing = vault_->begin_writing("share", OpeningKeys::Node);
        REQUIRE(writing);
        SnapshotWriter writer(vault_->context(*writing, 1));
        writer.begin_source("files", "files", "/srv");
        std::vector<SnapshotWarning> warnings;
        TreeSink sink(writer, "files", reader ? &*reader : nullptr, warnings);
        fill(sink);
        REQUIRE(sink.finish());
        REQUIRE(writer.end_source("{}"));
        Manifest manifest;
        manifest.system = "share";
        manifest.time = made_.clock.wall;
        if (before != nullptr) writer.rely_on(packs_);
        const auto written = writer.finish(std::move(manifest));
        REQUIRE(written);
        packs_ = written->packs;
        const auto record = vault_->commit(*writing, *written, "share", made_.clock.wall, 0);
        REQUIRE(record);
        const auto read = vault_->reader().manifest(*record);
        REQUIRE(read);
        return read->sources[0].tree;
    }

    SourceTree write_all(const Tree& tree) {
        return write(nullptr, [&](TreeSink& sink) {
            for (const auto& [path, entry] : tree) REQUIRE(sink.add(entry, 0));
        });
    }

    /// Only `changed` is written; a folder that went takes what was in it along.
    SourceTree write_changes(const SourceTree& before, const std::vector<std::string>& changed,
                             const Tree& tree) {
        return write(&before, [&](TreeSink& sink) {
            for (const std::string& path : changed) {
                REQUIRE(sink.keep_until(path));
                const auto now = tree.find(path);
                if (now != tree.end()) REQUIRE(sink.add(now->second, 0));
                REQUIRE(sink.pass_over(path, now == tree.end()));
            }
            REQUIRE(sink.keep_until(std::nullopt));
        });
    }

    std::vector<std::string> damage() {
        std::vector<std::string> out;
        for (const Damage& one : made_.verify(*vault_).damage) out.push_back(one.what);
        return out;
    }

private:
    TestVault made_;
    std::unique_ptr<Vault> vault_;
    std::unique_ptr<ChunkReader> chunks_;
    std::set<PackId> packs_;
};

void check_same(const SourceTree& a, const SourceTree& b) {
    CHECK(a.meta_tables == b.meta_tables);
    CHECK(a.refs_tables == b.refs_tables);
    CHECK(a.entries == b.entries);
    CHECK(a.bytes == b.bytes);
}

void change_some(Tree& tree, std::mt19937& dice) {
    const auto some = [&] {
        auto at = tree.begin();
        std::advance(at, 1 + dice() % (tree.size() - 1));
        return at;
    };
    const std::size_t count = 1 + dice() % 30;
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = some();
        const std::string path = at->first;
        const bool folder = at->second.type == FileType::Directory;
        switch (dice() % 3) {
            case 0:
                ++at->second.mtime_ns;
                break;
            case 1:
                tree.erase(at);
                if (folder) {
                    std::erase_if(
                        tree, [&](const auto& one) { return one.first.starts_with(path + "/"); });
                }
                break;
            default:
                if (!folder) break;
                for (std::size_t j = 0; j < 1 + dice() % 400; ++j) {
                    const std::string made = path + "/new " + std::to_string(dice());
                    tree[made] = make_entry(made, 2);
                }
        }
    }
}

}  // namespace

TEST_CASE("a tree of kept leaves is the tree that reading all would give", "[backup]") {
    Snapshots snapshots;
    Tree tree = large_tree();
    SourceTree kept = snapshots.write_all(tree);
    std::mt19937 dice(20261128);
    for (int turn = 0; turn < 25; ++turn) {
        INFO(turn);
        Tree next = tree;
        change_some(next, dice);
        kept = snapshots.write_changes(kept, changes(tree, next), next);
        check_same(kept, snapshots.write_all(next));
        tree = std::move(next);
    }
    CHECK(snapshots.damage().empty());
}

TEST_CASE("nothing that changed keeps everything, also the last leaf", "[backup]") {
    Snapshots snapshots;
    const Tree tree = large_tree();
    const SourceTree before = snapshots.write_all(tree);
    check_same(snapshots.write_changes(before, {}, tree), before);
    Tree more = tree;
    more["z behind all"] = make_entry("z behind all", 1);
    check_same(snapshots.write_changes(before, {"z behind all"}, more), snapshots.write_all(more));
    Tree fewer = tree;
    fewer.erase(std::prev(fewer.end()));
    check_same(snapshots.write_changes(before, changes(tree, fewer), fewer),
               snapshots.write_all(fewer));
}
