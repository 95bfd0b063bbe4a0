// Content: what a file of a snapshot holds, poured out or compared, a chunk at a time.
#pragma once

#include "vault/snapshot/tree_reader.h"

#include <functional>
#include <string_view>

namespace holdfast::agent {

/// Receives the next bytes.
using TakeBytes = std::function<Result<void>(View)>;

/// The content of the regular file at `path`, whichever of its links that is; holes are zeros.
/// Every byte is authenticated before it is handed over. Errors: NotFound, Invalid (a folder, a
/// link, a device), those of ChunkReader::read(), take's own.
Result<void> pour_file(const vault::TreeReader& tree, vault::ChunkReader& chunks,
                       std::string_view path, const TakeBytes& take);

/// One side of a comparison.
struct ContentSide {
    vault::Extents extents;
    vault::ChunkReader* chunks;
};

/// True if both hold the same bytes; what lies in the same place of the same chunk is not read.
/// Both are of one size. Errors: those of ChunkReader::read(), Corrupt.
Result<bool> same_content(const ContentSide& a, const ContentSide& b);

}  // namespace holdfast::agent
