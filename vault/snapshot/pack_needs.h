// Pack needs: collects the packs that a snapshot's list must name.
//
// A chunk that the index does not know yet lies in a pack of this very snapshot, and those are all
// on its list.
#pragma once

#include "vault/index/chunk_index.h"

#include <set>

namespace holdfast::vault {

class PackNeeds {
public:
    explicit PackNeeds(ChunkIndex& index) : index_(&index) {}

    /// Errors: Io.
    Result<void> need(const ChunkId& chunk) {
        if (chunk == last_ || chunk.zero()) return {};
        last_ = chunk;
        auto place = index_->find(chunk);
        if (place) packs_.insert(place->pack);
        if (!place && place.error().code != Errc::NotFound) return std::move(place).error();
        return {};
    }
    void need_pack(const PackId& pack) { packs_.insert(pack); }
    const std::set<PackId>& packs() const { return packs_; }

private:
    ChunkIndex* index_;
    ChunkId last_;
    std::set<PackId> packs_;
};

}  // namespace holdfast::vault
