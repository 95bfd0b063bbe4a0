// Leaves and tables: the two parallel streams of a source's metadata (docs/vault-format.md, 8).
#pragma once

#include "vault/snapshot/entry.h"
#include "vault/snapshot/extent.h"

#include <string>
#include <vector>

namespace holdfast::vault {

/// One path with where its content lies.
struct Item {
    Entry entry;
    ContentParts content;
};

/// What a pair of tables says of one leaf.
struct LeafInfo {
    ChunkId meta;
    ChunkId refs;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;  // Sum of the sizes of its regular files.
    std::string first_path;
};

/// Appends `entry` to a meta leaf in the making; `previous_path` is the one before in that leaf.
void write_entry(ByteWriter& out, const Entry& entry, std::string_view previous_path);

/// The items of one leaf. Errors: Corrupt (out of order, over a limit, leaves that do not match).
Result<std::vector<Item>> parse_leaf(View meta, View refs);

Buffer encode_meta_table(const std::vector<LeafInfo>& leaves);
Buffer encode_refs_table(const std::vector<LeafInfo>& leaves);

/// The same without the metadata, which other keys seal: the refs leaves of a table, and the
/// contents of one leaf. Errors: Corrupt.
Result<std::vector<ChunkId>> parse_refs_table(View refs);
Result<std::vector<ContentParts>> parse_refs_leaf(View refs);

/// The leaves that a pair of tables lists. Errors: Corrupt.
Result<std::vector<LeafInfo>> parse_tables(View meta, View refs);

}  // namespace holdfast::vault
