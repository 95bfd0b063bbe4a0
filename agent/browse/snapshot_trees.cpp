#include "agent/browse/snapshot_trees.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

std::string_view without_slashes(std::string_view path) {
    while (path.starts_with('/')) path.remove_prefix(1);
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

}  // namespace

Result<vault::SnapshotRecord> named_snapshot(const vault::VaultReader& reader,
                                             std::string_view name) {
    auto newest = reader.latest(name);
    auto by_id = reader.find(name);
    if (newest && by_id) {
        return Error{Errc::Invalid, std::string(name) +
                                        " is a system and the beginning of snapshot " +
                                        by_id->id.brief() + "; write more of the id"};
    }
    if (newest) return newest;
    if (by_id || by_id.error().code == Errc::Invalid) return by_id;
    return Error{Errc::NotFound, "no snapshot and no system is called " + std::string(name) +
                                     " (holdfast snapshots lists them)"};
}

Result<SnapshotTrees> SnapshotTrees::open(vault::VaultReader& reader,
                                          const vault::SnapshotRecord& record) {
    const vault::Manifest manifest = HF_TRY(reader.manifest(record));
    SnapshotTrees trees;
    trees.chunks_ = reader.chunk_reader();
    for (const vault::SourceInfo& source : manifest.sources) {
        auto tree =
            HF_TRY(vault::TreeReader::open(source.tree, *trees.chunks_).within(source.name));
        const bool several = manifest.sources.size() > 1;
        trees.sources_.push_back({source.name, several ? source.name + "/" : "", std::move(tree)});
    }
    return trees;
}

Result<SnapshotTrees::Place> SnapshotTrees::place(std::string_view path) const {
    const std::string_view wanted = without_slashes(path);
    if (sources_.size() == 1) return Place{&sources_[0], std::string(wanted)};
    if (wanted.empty()) return Place{};
    const std::size_t end = std::min(wanted.find('/'), wanted.size());
    const std::string_view name = wanted.substr(0, end);
    for (const Source& source : sources_) {
        if (source.name != name) continue;
        return Place{&source, std::string(without_slashes(wanted.substr(end)))};
    }
    std::string names;
    for (const Source& source : sources_) names += (names.empty() ? "" : ", ") + source.name;
    return Error{Errc::NotFound, "the snapshot has no source " + std::string(name) + " (it has " +
                                     names + "; paths begin with one of them)"};
}

std::string path_in(const SnapshotTrees::Source& source, const vault::Entry& entry) {
    return entry.path.empty() ? source.name : source.prefix + entry.path;
}

}  // namespace holdfast::agent
