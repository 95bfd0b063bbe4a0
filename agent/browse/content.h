// Content: what a file of a snapshot holds, poured out or compared, a chunk at a time.
#pragma once

#include "vault/snapshot/tree_reader.h"

#include <functional>
#include <string_view>

namespace holdfast::agent {

/// Receives the next bytes.
using TakeBytes = std::function<Result<void>(View)>;

/// Asked about damage; an error ends the pouring, and without one zeros stand for the extent.
using TakeDamage = std::function<Result<void>(const Error&)>;

/// The item of a regular file that has its content, whichever of its links `item` is.
/// Errors: those of TreeReader::leaf(), Corrupt.
Result<vault::Item> item_with_content(const vault::TreeReader& tree, vault::Item item);

/// All extents of a regular file, whichever of its links `item` is; they cover its size.
/// Errors: those of ChunkReader::read(), Corrupt.
Result<vault::Extents> extents_of_file(const vault::TreeReader& tree, vault::Item item);

/// What the extents hold, from front to back; holes are zeros. Every byte is authenticated before
/// it is handed over. Errors: those of ChunkReader::read() that are no damage, those of the
/// callers' functions.
Result<void> pour_extents(const vault::Extents& extents, vault::ChunkReader& chunks,
                          const TakeBytes& take, const TakeDamage& damaged);

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
