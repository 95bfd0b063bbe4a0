// Pack writer: seals chunks into segments, and segments into pack files (docs/vault-format.md, 7).
//
// A worker owns one SegmentWriter and fills it; build_pack() then makes a file of one or several.
// So workers share nothing while they seal, and the small segments of a small snapshot end in one
// pack.
#pragma once

#include "vault/crypto/random.h"
#include "vault/keys/epoch.h"
#include "vault/pack/directory.h"

#include <vector>

namespace holdfast::vault {

/// When a segment of this size is reached the pack is written. Bounds a worker's memory, and what a
/// kill costs; a full pack is padded to exactly this length.
constexpr std::uint64_t pack_bytes_aim = 16_MiB;

/// A segment as it goes into a pack: its directory records, and the sealed chunks one after
/// another.
struct SealedSegment {
    DirectorySegment directory;
    Buffer sealed;

    /// What it adds to a pack file, directory records included.
    std::uint64_t bytes() const;
};

class SegmentWriter {
public:
    /// `epoch` must hold the key for `kind`, and is not needed after the call.
    SegmentWriter(const Epoch& epoch, Kind kind, Random& random);

    /// Seals `coded` (codec, filter, payload) as chunk `id`, which has `content_bytes` of content.
    void add(const ChunkId& id, std::uint32_t content_bytes, View coded);

    bool empty() const { return directory().chunks.empty(); }
    std::uint64_t bytes() const { return segment_.bytes(); }
    const DirectorySegment& directory() const { return segment_.directory; }
    View sealed() const { return segment_.sealed; }
    /// All of it; the writer is not used afterwards.
    SealedSegment take() && { return std::move(segment_); }

private:
    SealedSegment segment_;
    Sealer sealer_;
};

struct BuiltPack {
    PackId id;
    Buffer file;
    Directory directory;
};

/// Makes a pack of `segments`, none of them empty, at most pack_bytes_max in all. The directory is
/// sealed with the map key of `epoch`.
BuiltPack build_pack(std::vector<SealedSegment> segments, const Epoch& epoch, Random& random);
BuiltPack build_pack(std::vector<SegmentWriter> segments, const Epoch& epoch, Random& random);

/// The name of a pack file. (docs/vault-format.md, 7)
PackId pack_id_of(View file);

}  // namespace holdfast::vault
