#include "vault/snapshot/snapshot_writer.h"

namespace holdfast::vault {

SnapshotWriter::SnapshotWriter(const SnapshotContext& context)
    : context_(context),
      sink_(context.store, context.index, context.epoch, context.random),
      content_(sink_, context.naming, context.workers),
      storer_(sink_, context.naming),
      needs_(context.index) {}

void SnapshotWriter::begin_source(const std::string& name, const std::string& kind,
                                  const std::string& place) {
    sources_.push_back({name, kind, place, "{}", {}});
    tree_.emplace(storer_, needs_);
}

Result<void> SnapshotWriter::add(const Entry& entry, Extents extents) {
    return tree_->add(entry, std::move(extents));
}

Result<void> SnapshotWriter::end_source(const std::string& facts) {
    sources_.back().facts = facts;
    sources_.back().tree = HF_TRY(tree_->finish());
    tree_.reset();
    return {};
}

void SnapshotWriter::adopt_source(SourceInfo source, const std::set<PackId>& packs) {
    sources_.push_back(std::move(source));
    rely_on(packs);
}

/// The index chunks that cover older packs; new ones are written if too many packs have none. They
/// go to a pack of their own, since the manifest must name that pack.
Result<std::vector<IndexRef>> SnapshotWriter::cover_packs() {
    std::set<ChunkId> covers;
    std::vector<PackId> uncovered;
    std::set<PackId> packs = needs_.packs();
    for (const PackSink::NewPack& pack : sink_.new_packs()) packs.insert(pack.id);
    for (const PackId& pack : packs) {
        const ChunkId cover = HF_TRY(context_.index.cover_of(pack));
        // One that no live snapshot names may have been erased.
        if (!cover.zero() && HF_TRY(context_.index.is_sound(cover))) {
            covers.insert(cover);
        } else {
            uncovered.push_back(pack);
        }
    }
    if (uncovered.size() > context_.uncovered_packs_max) {
        ChunkStorer storer(sink_, context_.naming);
        std::vector<std::pair<ChunkId, std::vector<PackId>>> written;
        std::vector<IndexedPack> batch;
        std::size_t bytes = 0;
        const auto write = [&]() -> Result<void> {
            const ChunkId id = HF_TRY(storer.store(Kind::Index, encode_index_chunk(batch)));
            written.push_back({id, {}});
            for (const IndexedPack& pack : batch) written.back().second.push_back(pack.pack);
            batch.clear();
            bytes = 0;
            return {};
        };
        for (const PackId& pack : uncovered) {
            const std::uint64_t length = HF_TRY(context_.store.size(pack_name(pack)));
            Directory directory = HF_TRY(open_directory(context_.store, pack, context_.keys));
            const std::size_t size = encode_directory(directory).size();
            if (bytes != 0 && bytes + size > index_chunk_aim) HF_TRY(write());
            bytes += size;
            batch.push_back({pack, length, std::move(directory)});
        }
        HF_TRY(write());
        HF_TRY(store_together(sink_, storer.take_segments()));
        for (const auto& [id, covered] : written) {
            HF_TRY(context_.index.set_cover(covered, id));
            covers.insert(id);
        }
    }
    std::vector<IndexRef> refs;
    for (const ChunkId& cover : covers) {
        const ChunkPlace place = HF_TRY(context_.index.find(cover));
        needs_.need_pack(place.pack);
        refs.push_back({place.pack, cover});
    }
    return refs;
}

Result<WrittenSnapshot> SnapshotWriter::finish(Manifest manifest) {
    HF_TRY(content_.flush());
    manifest.sources = std::move(sources_);
    manifest.content = HF_TRY(storer_.store(Kind::Meta, as_view(encode_content_part(manifest))));
    HF_TRY(needs_.need(manifest.content));
    manifest.index = HF_TRY(cover_packs());
    WrittenSnapshot written;
    written.manifest_map = HF_TRY(storer_.store(Kind::Refs, as_view(encode_map_part(manifest))));
    std::vector<SegmentWriter> left = content_.take_segments();
    for (SegmentWriter& segment : storer_.take_segments()) left.push_back(std::move(segment));
    HF_TRY(store_together(sink_, std::move(left)));
    written.manifest_pack = HF_TRY(context_.index.find(written.manifest_map)).pack;
    written.packs = needs_.packs();
    written.packs.insert(written.manifest_pack);
    for (const PackSink::NewPack& pack : sink_.new_packs()) {
        written.packs.insert(pack.id);
        written.new_packs.insert(pack.id);
        written.stored_bytes += pack.bytes;
    }
    for (const SourceInfo& source : manifest.sources) {
        written.entries += source.tree.entries;
        written.bytes += source.tree.bytes;
    }
    written.new_bytes = content_.new_bytes();
    return written;
}

}  // namespace holdfast::vault
