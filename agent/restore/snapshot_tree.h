// SnapshotTree: one source of a snapshot as the read-only tree under a mount.
//
// Several threads read at once. Chunks come from a few readers, each with a lock of its own and its
// own share of chunks (by their ids), so no chunk is decoded or kept twice, and threads that read
// different chunks do not wait for one another. Metadata has a reader and a lock for itself; what
// is parsed from it is kept: leaves (about 500 files each), and extents of files that have many.
//
// A read costs: the leaf (kept, or one chunk and 0.2 ms), a binary search over the file's extents,
// and the chunks it touches. Memory: readers times 16 MiB, extents_bytes_max, leaves_bytes_max.
#pragma once

#include "agent/mount/tree.h"
#include "agent/restore/lru.h"
#include "agent/restore/restore.h"

#include <mutex>
#include <optional>
#include <unordered_map>

namespace holdfast::agent {

class SnapshotTree final : public Tree {
public:
    static constexpr std::size_t extents_bytes_max = 32_MiB;
    static constexpr std::size_t leaves_bytes_max = 32_MiB;

    /// `readers` is called readers_max + 1 times; what its readers use outlives the tree.
    /// Errors: those of TreeReader::open(), Invalid (no reader).
    static Result<std::unique_ptr<SnapshotTree>> open(const vault::SourceTree& source,
                                                      const ChunkReaderFactory& readers,
                                                      unsigned readers_max = 4);

    Result<void> walk(const std::function<Result<void>(std::uint64_t, const vault::Entry&)>& visit)
        const override;
    Result<std::size_t> read(std::uint64_t ordinal, std::uint64_t offset,
                             std::span<std::uint8_t> out) const override;

private:
    using Leaf = std::vector<vault::Item>;
    /// Extents with where each ends, so that a place is found by halving.
    struct Map {
        vault::Extents extents;
        std::vector<std::uint64_t> ends;
    };
    struct Reader {
        std::mutex mutex;
        std::unique_ptr<vault::ChunkReader> chunks;
    };
    /// A file as read() needs it: its item, and the leaf that keeps it alive.
    struct File {
        std::shared_ptr<const Leaf> leaf;
        const vault::Item* item;
    };

    SnapshotTree() = default;

    Result<File> find(std::uint64_t ordinal) const;
    Result<std::shared_ptr<const Leaf>> leaf(std::size_t number) const;
    Result<std::uint64_t> first_of(std::uint64_t hard_link) const;
    Result<void> note_links() const;
    Result<std::size_t> read_file(const File& file, std::uint64_t ordinal, std::uint64_t offset,
                                  std::span<std::uint8_t> out) const;
    Result<std::shared_ptr<const Map>> map_of(const File& file, std::uint64_t ordinal) const;
    Result<std::shared_ptr<const Map>> map_of(const vault::ContentParts::Part& part) const;
    static std::shared_ptr<const Map> make_map(vault::Extents extents);
    Result<void> read_map(const Map& map, std::uint64_t offset, std::span<std::uint8_t> out) const;
    Result<void> read_extent(const vault::Extent& extent, std::uint64_t skip,
                             std::span<std::uint8_t> out) const;

    std::vector<std::uint64_t> leaf_ends_;  // Ordinal behind each leaf's last entry.
    std::vector<std::unique_ptr<Reader>> readers_;

    mutable std::mutex meta_;  // Guards all below.
    std::unique_ptr<vault::ChunkReader> meta_chunks_;
    std::optional<vault::TreeReader> tree_;
    mutable Lru<std::size_t, Leaf> leaves_{leaves_bytes_max};
    mutable Lru<std::uint64_t, Map> files_{extents_bytes_max / 2};  // By ordinal.
    mutable Lru<ChunkId, Map> parts_{extents_bytes_max / 2};
    mutable bool links_known_ = false;
    mutable std::unordered_map<std::uint64_t, std::uint64_t> links_;  // Number to first ordinal.
};

}  // namespace holdfast::agent
