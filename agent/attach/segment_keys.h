// Segment keys: the keys of one snapshot's segments, and of nothing else: what a mount is given.
//
// Does not change once made, so it may be asked from several threads.
#pragma once

#include "vault/index/chunk_index.h"
#include "vault/keys/segment.h"

#include <map>
#include <vector>

namespace holdfast::agent {

constexpr std::size_t segment_keys_max = 1 << 20;

class SegmentKeys final : public vault::KeySource {
public:
    /// The keys of all segments that `index` knows. Errors: those of `keys` (Locked, NotFound).
    static Result<SegmentKeys> collect(vault::ChunkIndex& index, const vault::KeySource& keys,
                                       bool released);

    /// What encode() wrote. Errors: Corrupt.
    static Result<SegmentKeys> parse(View bytes);
    vault::Secret encode() const;

    Result<DomainId> domain_of(const EpochId& epoch) const override;
    Result<vault::Secret> key_of(const vault::SegmentName& segment) const override;
    std::size_t size() const { return keys_.size(); }

private:
    void add(const vault::SegmentName& segment, View key);

    std::map<vault::SegmentName, vault::Secret> keys_;
    std::map<EpochId, DomainId> domains_;
};

}  // namespace holdfast::agent
