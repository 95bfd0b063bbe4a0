// Extents: where a file's content lies (docs/vault-format.md, 8).
//
// An extent points into a chunk, so several small files can share one, and a file that changed a
// page keeps its other pages where they are.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/units.h"

#include <cstdint>
#include <vector>

namespace holdfast::vault {

struct Extent {
    std::uint64_t length = 0;
    ChunkId chunk;           // Zero: a hole.
    std::uint32_t skip = 0;  // Where the extent starts within the chunk's content.
    bool whole = false;      // It is all of the chunk's content.

    bool hole() const { return chunk.zero(); }
    friend bool operator==(const Extent&, const Extent&) = default;
};

using Extents = std::vector<Extent>;

/// More extents than this go to chunks of their own, this many to each.
constexpr std::size_t extents_inline_max = 1024;
constexpr std::size_t extents_part_max = 4096;

Buffer encode_extents(const Extents& extents);

/// Reads one `extents`. Errors: Corrupt.
Result<Extents> parse_extents(ByteReader& in);

/// A refs leaf's `content`: extents, or the chunks that hold them.
struct ContentParts {
    struct Part {
        ChunkId chunk;  // Of kind Refs.
        std::uint64_t bytes = 0;
    };
    Extents extents;
    std::vector<Part> parts;

    /// Of an empty file, of a later link, and of what is no file.
    bool empty() const { return extents.empty() && parts.empty(); }
};

void write_content(ByteWriter& out, const ContentParts& content);
Result<ContentParts> parse_content(ByteReader& in);

/// Errors: Corrupt (they do not cover `size`).
Result<void> check_covers(const Extents& extents, std::uint64_t size);

}  // namespace holdfast::vault
