#include "vault/snapshot/chunk_storer.h"

#include "vault/base/fault.h"

namespace holdfast::vault {

Result<void> PackSink::store(std::vector<SegmentWriter> segments) {
    BuiltPack pack = build_pack(std::move(segments), *epoch_, *random_);
    HF_TRY(store_->put(pack_name(pack.id), pack.file));
    fault_point("pack stored, not yet indexed");
    HF_TRY(index_->add_pack(pack.id, pack.file.size(), pack.directory));
    const std::lock_guard lock(mutex_);
    new_packs_.push_back({pack.id, pack.file.size()});
    return {};
}

Result<ChunkId> ChunkStorer::store(Kind kind, View content) {
    if (content.size() > chunk_bytes_max) {
        return Error{Errc::Invalid, "a piece of metadata is larger than a chunk can be"};
    }
    const ChunkId id = naming_->id(kind, content);
    if (!HF_TRY(sink_->index().claim(id))) return id;
    encoder_.encode(content, {}, coded_);
    std::uint64_t filled = 0;
    for (const auto& [other, segment] : segments_) filled += segment.bytes();
    if (filled + coded_.size() > pack_bytes_aim && filled != 0) HF_TRY(spill());
    auto found = segments_.find(kind);
    if (found == segments_.end()) found = segments_.emplace(kind, sink_->new_segment(kind)).first;
    found->second.add(id, static_cast<std::uint32_t>(content.size()), coded_);
    new_bytes_ += content.size();
    return id;
}

std::vector<SegmentWriter> ChunkStorer::take_segments() {
    std::vector<SegmentWriter> out;
    for (auto& [kind, segment] : segments_) out.push_back(std::move(segment));
    segments_.clear();
    return out;
}

Result<void> ChunkStorer::spill() {
    return sink_->store(take_segments());
}

Result<void> store_together(PackSink& sink, std::vector<SegmentWriter> segments) {
    std::vector<SegmentWriter> together;
    std::uint64_t filled = 0;
    for (SegmentWriter& segment : segments) {
        if (filled != 0 && filled + segment.bytes() > pack_bytes_aim) {
            HF_TRY(sink.store(std::exchange(together, {})));
            filled = 0;
        }
        filled += segment.bytes();
        together.push_back(std::move(segment));
    }
    if (together.empty()) return {};
    return sink.store(std::move(together));
}

}  // namespace holdfast::vault
