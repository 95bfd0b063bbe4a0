// Refs walk: the chunks that a source's refs name, without a key for content.
#pragma once

#include "vault/snapshot/chunk_reader.h"

#include <functional>

namespace holdfast::vault {

enum class RefTo { Content, Part };

/// Told each chunk that a leaf names, as often as it names it; holes are none. A part is a chunk of
/// refs, whose own chunks come right after it.
using VisitRef = std::function<Result<void>(const ChunkId&, RefTo)>;

/// Errors: those of ChunkReader::read(), Corrupt, or visit's own.
Result<void> visit_refs(const ChunkId& leaf, ChunkReader& chunks, const VisitRef& visit);

}  // namespace holdfast::vault
