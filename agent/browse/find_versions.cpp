#include "agent/browse/find_versions.h"

#include "agent/browse/snapshot_trees.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace holdfast::agent {
namespace {

class Search {
public:
    Search(vault::VaultReader& reader, const std::vector<Glob>& patterns)
        : reader_(&reader), patterns_(&patterns) {}

    Result<void> look_in(const vault::SnapshotRecord& record) {
        const SnapshotTrees trees = HF_TRY(SnapshotTrees::open(*reader_, record));
        for (const SnapshotTrees::Source& source : trees.sources()) {
            for (std::size_t i = 0; i < source.tree.leaves(); ++i) {
                for (const vault::Entry& entry : *HF_TRY(matches(source.tree, i))) {
                    take(record, path_in(source, entry), entry);
                }
            }
        }
        return {};
    }

    std::vector<Version> versions() {
        std::vector<Version> all;
        for (auto& [key, version] : found_) all.push_back(std::move(version));
        std::sort(all.begin(), all.end(), [](const Version& a, const Version& b) {
            const int systems = a.newest.system.compare(b.newest.system);
            if (systems != 0) return systems < 0;
            const int paths = vault::compare_paths(a.path, b.path);
            return paths != 0 ? paths < 0 : a.newest.time > b.newest.time;
        });
        return all;
    }

private:
    using Leaf = std::pair<ChunkId, ChunkId>;
    using Key = std::tuple<std::string, std::string, vault::FileType, std::uint64_t, std::int64_t>;

    Result<const std::vector<vault::Entry>*> matches(const vault::TreeReader& tree,
                                                     std::size_t number) {
        const Leaf leaf{tree.info(number).meta, tree.info(number).refs};
        const auto known = leaves_.find(leaf);
        if (known != leaves_.end()) return &known->second;
        std::vector<vault::Entry> matched;
        for (vault::Item& item : HF_TRY(tree.leaf(number))) {
            const bool folder = item.entry.type == vault::FileType::Directory;
            if (item.entry.path.empty() || !any_matches(*patterns_, item.entry.path, folder)) {
                continue;
            }
            matched.push_back(std::move(item.entry));
        }
        return &leaves_.emplace(leaf, std::move(matched)).first->second;
    }

    void take(const vault::SnapshotRecord& record, const std::string& path,
              const vault::Entry& entry) {
        const Key key{record.system, path, entry.type, entry.size, entry.mtime_ns};
        Version& version = found_[key];
        if (version.snapshots++ == 0) {
            version.path = path;
            version.oldest = record;
        }
        version.entry = entry;
        version.newest = record;
    }

    vault::VaultReader* reader_;
    const std::vector<Glob>* patterns_;
    std::map<Leaf, std::vector<vault::Entry>> leaves_;
    std::map<Key, Version> found_;
};

}  // namespace

Result<Found> find_versions(vault::VaultReader& reader,
                            const std::vector<vault::SnapshotRecord>& records,
                            const std::vector<Glob>& patterns) {
    Search search(reader, patterns);
    Found found;
    for (const vault::SnapshotRecord& record : records) {
        auto looked = search.look_in(record).within("snapshot " + record.id.brief());
        if (!looked && looked.error().code == Errc::Locked) {
            ++found.locked_snapshots;
        } else if (!looked) {
            return std::move(looked).error();
        }
    }
    found.versions = search.versions();
    return found;
}

}  // namespace holdfast::agent
