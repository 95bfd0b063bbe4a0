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

    /// Errors: NotFound (a hole), Io.
    Result<void> need(const ChunkId& chunk) {
        if (chunk == last_ || chunk.zero()) return {};
        last_ = chunk;
        const auto place = HF_TRY(index_->find_unless_claimed(chunk));
        if (place) packs_.insert(place->pack);  // Else it comes into a pack of this snapshot.
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
