#include "agent/history/file_content.h"

#include <algorithm>

namespace holdfast::agent {

Result<FileContent> FileContent::open(vault::Item item, vault::ChunkReader& chunks) {
    const std::uint64_t size = item.entry.size;
    if (item.content.parts.empty()) {
        HF_TRY(vault::check_covers(item.content.extents, size).within(item.entry.path));
    } else {
        std::uint64_t left = size;
        for (const auto& part : item.content.parts) {
            if (part.bytes > left) {
                return Error{Errc::Corrupt, item.entry.path + ": its parts exceed it"};
            }
            left -= part.bytes;
        }
        if (left != 0) return Error{Errc::Corrupt, item.entry.path + ": its parts do not cover it"};
    }
    return FileContent(std::move(item), chunks);
}

Result<std::size_t> FileContent::read(std::uint64_t offset, std::span<std::uint8_t> out) {
    const std::uint64_t size = item_.entry.size;
    if (offset >= size) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - offset)));
    std::size_t filled = 0;
    while (filled < out.size()) {
        HF_TRY(need_map(offset + filled));
        filled += HF_TRY(read_map(offset + filled, out.subspan(filled)));
    }
    return filled;
}

/// The map of the part that holds the byte; the whole file's if it has no parts.
Result<void> FileContent::need_map(std::uint64_t offset) {
    if (map_ && offset >= map_->start && offset - map_->start < map_->bytes) return {};
    if (item_.content.parts.empty()) {
        map_ = Map{0, item_.entry.size, item_.content.extents};
        return {};
    }
    std::uint64_t start = 0;
    for (const auto& part : item_.content.parts) {
        if (offset - start < part.bytes) {
            const auto chunk = HF_TRY(chunks_->read(part.chunk));
            ByteReader in(*chunk);
            vault::Extents extents = HF_TRY(vault::parse_extents(in));
            HF_TRY(vault::check_covers(extents, part.bytes).within(item_.entry.path));
            map_ = Map{start, part.bytes, std::move(extents)};
            return {};
        }
        start += part.bytes;
    }
    return Error{Errc::Corrupt, item_.entry.path + ": its parts do not cover it"};
}

/// What the map has of it.
Result<std::size_t> FileContent::read_map(std::uint64_t offset, std::span<std::uint8_t> out) {
    std::size_t filled = 0;
    std::uint64_t at = map_->start;
    for (const vault::Extent& extent : map_->extents) {
        if (filled == out.size()) break;
        const std::uint64_t wanted = offset + filled;
        if (wanted - at < extent.length) {
            const std::uint64_t skip = wanted - at;
            const auto length = static_cast<std::size_t>(
                std::min<std::uint64_t>(out.size() - filled, extent.length - skip));
            const auto to = out.subspan(filled, length);
            if (extent.hole()) {
                std::fill(to.begin(), to.end(), std::uint8_t{0});
            } else {
                const auto chunk = HF_TRY(chunks_->read(extent.chunk));
                const std::uint64_t from = extent.skip + skip;
                if (from > chunk->size() || length > chunk->size() - from) {
                    return Error{Errc::Corrupt, item_.entry.path + ": an extent outside its chunk"};
                }
                std::copy_n(chunk->begin() + static_cast<std::ptrdiff_t>(from), length, to.begin());
            }
            filled += length;
        }
        at += extent.length;
    }
    return filled;
}

}  // namespace holdfast::agent
