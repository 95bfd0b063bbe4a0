// Pack needs: collects the packs that a snapshot's list must name.
//
// A chunk that the index does not know yet must have been claimed by this very snapshot: then it
// will lie in one of its packs, and those are all on its list. Any other is a hole, and an error.
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
        const bool unknown = !place && place.error().code == Errc::NotFound;
        if (unknown && index_->is_claimed(chunk)) return {};  // This snapshot's own: a new pack.
        // A worker may have stored that pack between the two questions; then it is known by now.
        if (unknown) place = index_->find(chunk);
        if (!place) return std::move(place).error();
        packs_.insert(place->pack);
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
