// Index chunks: copies of pack directories, so that a reader need not open every pack's own
// (docs/vault-format.md, 9).
#pragma once

#include "vault/index/chunk_index.h"
#include "vault/pack/pack_reader.h"
#include "vault/snapshot/manifest.h"

#include <set>
#include <vector>

namespace holdfast::vault {

struct IndexedPack {
    PackId pack;
    std::uint64_t length = 0;
    Directory directory;
};

/// An index chunk stays below this; several are written where one does not do.
constexpr std::size_t index_chunk_aim = 3_MiB;
/// So many packs on a list may be uncovered before a snapshot writes index chunks for them.
constexpr std::size_t uncovered_max = 64;

Buffer encode_index_chunk(const std::vector<IndexedPack>& packs);
/// Errors: Corrupt.
Result<std::vector<IndexedPack>> parse_index_chunk(View content);

/// Adds the directories of `packs` to `index`: first from the index chunks of `refs`, then from the
/// packs themselves. Packs that the index knows are skipped.
/// Errors: NotFound (a pack is missing), Corrupt, Locked, Io, Unreachable.
Result<void> learn_packs(const Store& store, const KeySource& keys, const std::set<PackId>& packs,
                         const std::vector<IndexRef>& refs, ChunkIndex& index);

}  // namespace holdfast::vault
