// File content: any range of one file of a snapshot, with the part of its map that was used last.
#pragma once

#include "vault/snapshot/tree_reader.h"

#include <cstdint>
#include <optional>
#include <span>

namespace holdfast::agent {

class FileContent {
public:
    /// `item` has the file's content; `chunks` outlives it. Errors: Corrupt (it does not cover the
    /// file's size).
    static Result<FileContent> open(vault::Item item, vault::ChunkReader& chunks);

    /// Fills `out` from `offset`, up to the file's end; answers the bytes filled. Holes are zeros.
    /// Errors: those of ChunkReader::read(), Corrupt.
    Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out);

private:
    /// Extents that cover the file from `start` on.
    struct Map {
        std::uint64_t start = 0;
        std::uint64_t bytes = 0;
        vault::Extents extents;
    };
    FileContent(vault::Item item, vault::ChunkReader& chunks)
        : item_(std::move(item)), chunks_(&chunks) {}

    Result<void> need_map(std::uint64_t offset);
    Result<std::size_t> read_map(std::uint64_t offset, std::span<std::uint8_t> out);

    vault::Item item_;
    vault::ChunkReader* chunks_;
    std::optional<Map> map_;
};

}  // namespace holdfast::agent
