#include "vault/prune/needed_chunks.h"

#include "vault/snapshot/refs_walk.h"

#include <algorithm>
#include <cstring>

namespace holdfast::vault {
namespace {

constexpr std::size_t settle_min = 1 << 20;

std::uint64_t short_of(const ChunkId& chunk) {
    std::uint64_t out = 0;
    std::memcpy(&out, chunk.digest.data(), sizeof(out));
    return out;
}

}  // namespace

void NeededChunks::add(const ChunkId& chunk) {
    if (chunk.zero()) return;
    chunks_.push_back(short_of(chunk));
    if (chunks_.size() >= 2 * std::max(settled_, settle_min)) settle();
}

void NeededChunks::settle() {
    std::sort(chunks_.begin(), chunks_.end());
    chunks_.erase(std::unique(chunks_.begin(), chunks_.end()), chunks_.end());
    settled_ = chunks_.size();
}

bool NeededChunks::has(const ChunkId& chunk, Kind kind, const PackId& pack) const {
    if (kind == Kind::Meta && meta_packs_.contains(pack)) return true;
    return std::binary_search(chunks_.begin(), chunks_.end(), short_of(chunk));
}

Result<void> NeededChunks::add(const SnapshotRecord& record) {
    const Manifest manifest = HF_TRY(reader_->map_part(record));
    const auto chunks = reader_->chunk_reader();
    add(record.manifest_map);
    add(manifest.content);
    for (const SourceInfo& source : manifest.sources) {
        for (const ChunkId& table : source.tree.meta_tables) add(table);
        for (const ChunkId& table : source.tree.refs_tables) {
            add(table);
            HF_TRY(add_refs_leaves(table, *chunks));
        }
        auto added = add_meta_leaves(source.tree, *chunks);
        if (added) continue;
        if (added.error().code != Errc::Locked) return std::move(added).error();
        const auto packs = HF_TRY(reader_->packs_of(record));
        meta_packs_.insert(packs.begin(), packs.end());
    }
    return {};
}

Result<void> NeededChunks::add_meta_leaves(const SourceTree& tree, ChunkReader& chunks) {
    const TreeReader reader = HF_TRY(TreeReader::open(tree, chunks));
    for (std::size_t i = 0; i < reader.leaves(); ++i) add(reader.info(i).meta);
    return {};
}

Result<void> NeededChunks::add_refs_leaves(const ChunkId& table, ChunkReader& chunks) {
    const auto content = HF_TRY(chunks.read(table));
    for (const ChunkId& leaf : HF_TRY(parse_refs_table(*content))) {
        add(leaf);
        if (leaves_.insert(leaf).second) HF_TRY(add_refs_leaf(leaf, chunks));
    }
    return {};
}

Result<void> NeededChunks::add_refs_leaf(const ChunkId& leaf, ChunkReader& chunks) {
    return visit_refs(leaf, chunks, [&](const ChunkId& chunk, RefTo) -> Result<void> {
        add(chunk);
        return {};
    });
}

}  // namespace holdfast::vault
