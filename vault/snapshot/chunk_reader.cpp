#include "vault/snapshot/chunk_reader.h"

#include "vault/base/damage.h"

namespace holdfast::vault {

Result<std::shared_ptr<const Buffer>> ChunkReader::read(const ChunkId& id) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second);
        return recent_.front().second;
    }
    auto content = std::make_shared<const Buffer>(HF_TRY(read_anywhere(id)));
    recent_.emplace_front(id, content);
    by_id_[id] = recent_.begin();
    cached_ += content->size();
    while (cached_ > cache_bytes_ && recent_.size() > 1) {
        cached_ -= recent_.back().second->size();
        by_id_.erase(recent_.back().first);
        recent_.pop_back();
    }
    return content;
}

Result<Buffer> ChunkReader::read_anywhere(const ChunkId& id) {
    const ChunkPlace first = HF_TRY(index_->find(id));
    auto content = read_at(id, first);
    if (content || !is_damage(content.error())) return content;
    for (const ChunkPlace& other : HF_TRY(index_->places(id))) {
        if (other.pack == first.pack) continue;
        auto found = read_at(id, other);
        if (found) return found;
    }
    return content;
}

Result<Buffer> ChunkReader::read_at(const ChunkId& id, const ChunkPlace& place) {
    const auto read = [&]() -> Result<Buffer> {
        const Buffer sealed =
            HF_TRY(store_->get(pack_name(place.pack), place.offset, place.sealed_bytes));
        const Buffer coded = HF_TRY(opener_.open(place.segment, place.number, id, sealed));
        Buffer content;
        HF_TRY(decoder_.decode(coded, place.content_bytes, content));
        return content;
    };
    auto content = read();
    if (!content) {
        return std::move(content).error().within("pack " + place.pack.hex() + ", byte " +
                                                 std::to_string(place.offset));
    }
    return content;
}

}  // namespace holdfast::vault
