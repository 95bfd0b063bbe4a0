#include "vault/verify_tree.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

bool is_finding(const Error& error) {
    return error.code == Errc::Corrupt || error.code == Errc::NotFound ||
           error.code == Errc::Denied || error.code == Errc::Invalid || error.code == Errc::Io;
}

}  // namespace

Result<void> take_damage(VerifyReport& report, const std::string& object, Result<void> result) {
    if (result) return {};
    if (!is_finding(result.error())) return result;
    report.damage.push_back({object, result.error().message});
    return {};
}

Result<void> TreeCheck::check(const SnapshotRecord& record) {
    const std::string where = "snapshot " + record.id.hex();
    listed_ = HF_TRY(reader_->packs_of(record));
    elsewhere_.clear();
    auto manifest = reader_->manifest(record);
    if (!manifest && manifest.error().code == Errc::Locked) return {};
    if (!manifest) return std::move(manifest).error();
    HF_TRY(need(where + ": its manifest", record.manifest_map));
    HF_TRY(need(where + ": its manifest", manifest->content));
    for (const IndexRef& ref : manifest->index) HF_TRY(need(where + ": its index", ref.chunk));
    const auto chunks = reader_->chunk_reader();
    for (const SourceInfo& source : manifest->sources) {
        HF_TRY(check_source(where + " " + source.name, source, *chunks));
    }
    return look_in_directories();
}

Result<void> TreeCheck::check_source(const std::string& where, const SourceInfo& source,
                                     ChunkReader& chunks) {
    const TreeReader tree = HF_TRY(TreeReader::open(source.tree, chunks));
    for (const ChunkId& table : source.tree.meta_tables) HF_TRY(need(where, table));
    for (const ChunkId& table : source.tree.refs_tables) HF_TRY(need(where, table));
    for (std::size_t i = 0; i < tree.leaves(); ++i) {
        const Leaf leaf{tree.info(i).meta, tree.info(i).refs};
        const auto known = whole_.find(leaf);
        if (known != whole_.end() && is_listed(known->second)) continue;
        const std::size_t wrong = report_->damage.size() + elsewhere_.size();
        needed_.clear();
        HF_TRY(take_damage(*report_, where, check_leaf(where, tree, i)));
        const bool is_whole = report_->damage.size() + elsewhere_.size() == wrong;
        if (is_whole) whole_[leaf].assign(needed_.begin(), needed_.end());
    }
    return {};
}

bool TreeCheck::is_listed(const std::vector<PackId>& packs) const {
    return std::all_of(packs.begin(), packs.end(),
                       [&](const PackId& pack) { return listed_.contains(pack); });
}

Result<void> TreeCheck::check_leaf(const std::string& where, const TreeReader& tree,
                                   std::size_t number) {
    HF_TRY(need(where, tree.info(number).meta));
    HF_TRY(need(where, tree.info(number).refs));
    for (const Item& item : HF_TRY(tree.leaf(number))) {
        const std::string path = where + " " + item.entry.path;
        HF_TRY(take_damage(*report_, path, check_item(path, tree, item)));
    }
    return {};
}

Result<void> TreeCheck::check_item(const std::string& where, const TreeReader& tree,
                                   const Item& item) {
    for (const ContentParts::Part& part : item.content.parts) HF_TRY(need(where, part.chunk));
    const Extents extents = HF_TRY(tree.extents(item));
    const bool needs_content = item.entry.type == FileType::Regular && item.entry.hard_link == 0;
    if (needs_content) HF_TRY(check_covers(extents, item.entry.size));
    for (const Extent& extent : extents) {
        if (extent.hole()) continue;
        const ChunkPlace place = HF_TRY(need(where, extent.chunk));
        const bool inside = extent.length <= place.content_bytes &&
                            extent.skip <= place.content_bytes - extent.length &&
                            (!extent.whole || extent.length == place.content_bytes);
        if (!inside) return Error{Errc::Corrupt, "an extent outside its chunk"};
    }
    ++report_->paths;
    return {};
}

Result<ChunkPlace> TreeCheck::need(const std::string& where, const ChunkId& chunk) {
    const ChunkPlace place = HF_TRY(reader_->index().find(chunk));
    if (listed_.contains(place.pack)) {
        needed_.insert(place.pack);
    } else {
        elsewhere_.try_emplace(chunk, where);
    }
    return place;
}

/// What is left in elsewhere_ behind this is on no pack of the list.
Result<void> TreeCheck::look_in_directories() {
    for (const PackId& pack : listed_) {
        if (elsewhere_.empty()) return {};
        const auto directory = open_directory(reader_->store(), pack, reader_->keys());
        if (!directory) continue;  // Named already, by the check of the pack itself.
        for (const DirectorySegment& segment : directory->segments) {
            for (const DirectoryChunk& chunk : segment.chunks) elsewhere_.erase(chunk.id);
        }
    }
    for (const auto& [chunk, where] : elsewhere_) {
        const ChunkPlace place = HF_TRY(reader_->index().find(chunk));
        report_->damage.push_back({where, "chunk " + chunk.brief() +
                                              " is in no pack on the snapshot's list, only in " +
                                              pack_name(place.pack)});
    }
    return {};
}

}  // namespace holdfast::vault
