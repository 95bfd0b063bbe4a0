#include "agent/restore/snapshot_tree.h"

#include <algorithm>
#include <cstring>

namespace holdfast::agent {
namespace {

/// About what an item takes in memory.
std::size_t bytes_of(const vault::Item& item) {
    std::size_t bytes = sizeof item + item.entry.path.size() + item.entry.link_target.size() +
                        item.content.extents.size() * sizeof(vault::Extent) +
                        item.content.parts.size() * sizeof(vault::ContentParts::Part);
    for (const auto& [name, value] : item.entry.xattrs) bytes += name.size() + value.size() + 64;
    return bytes;
}

}  // namespace

Result<std::unique_ptr<SnapshotTree>> SnapshotTree::open(const vault::SourceTree& source,
                                                         const ChunkReaderFactory& readers,
                                                         unsigned readers_max) {
    if (readers_max == 0) return Error{Errc::Invalid, "a tree needs one reader at least"};
    std::unique_ptr<SnapshotTree> tree(new SnapshotTree);
    tree->meta_chunks_ = readers();
    tree->tree_.emplace(HF_TRY(vault::TreeReader::open(source, *tree->meta_chunks_)));
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < tree->tree_->leaves(); ++i) {
        tree->leaf_ends_.push_back(end += tree->tree_->info(i).entries);
    }
    for (unsigned i = 0; i < readers_max; ++i) {
        auto reader = std::make_unique<Reader>();
        reader->chunks = readers();
        tree->readers_.push_back(std::move(reader));
    }
    return tree;
}

Result<void> SnapshotTree::walk(
    const std::function<Result<void>(std::uint64_t, const vault::Entry&)>& visit) const {
    std::uint64_t ordinal = 0;
    for (std::size_t i = 0; i < leaf_ends_.size(); ++i) {
        std::vector<vault::Item> items;
        {
            // Past the kept leaves: a walk sees each once, and would push out what is in use.
            const std::lock_guard lock(meta_);
            items = HF_TRY(tree_->leaf(i));
        }
        for (const vault::Item& item : items) HF_TRY(visit(ordinal++, item.entry));
    }
    return {};
}

Result<std::size_t> SnapshotTree::read(std::uint64_t ordinal, std::uint64_t offset,
                                       std::span<std::uint8_t> out) const {
    File file = HF_TRY(find(ordinal));
    if (file.item->entry.type != vault::FileType::Regular) {
        return Error{Errc::Invalid, file.item->entry.path + " is not a regular file"};
    }
    if (file.item->content.empty() && file.item->entry.hard_link != 0) {
        ordinal = HF_TRY(first_of(file.item->entry.hard_link));
        file = HF_TRY(find(ordinal));
    }
    return read_file(file, ordinal, offset, out);
}

Result<SnapshotTree::File> SnapshotTree::find(std::uint64_t ordinal) const {
    const auto at = std::upper_bound(leaf_ends_.begin(), leaf_ends_.end(), ordinal);
    if (at == leaf_ends_.end()) return Error{Errc::NotFound, "the snapshot has no such entry"};
    const auto number = static_cast<std::size_t>(at - leaf_ends_.begin());
    const std::uint64_t start = number == 0 ? 0 : leaf_ends_[number - 1];
    File file{HF_TRY(leaf(number)), nullptr};
    file.item = &(*file.leaf)[ordinal - start];
    return file;
}

Result<std::shared_ptr<const SnapshotTree::Leaf>> SnapshotTree::leaf(std::size_t number) const {
    const std::lock_guard lock(meta_);
    if (auto kept = leaves_.find(number)) return kept;
    auto items = std::make_shared<const Leaf>(HF_TRY(tree_->leaf(number)));
    std::size_t bytes = 0;
    for (const vault::Item& item : *items) bytes += bytes_of(item);
    leaves_.add(number, items, bytes);
    return items;
}

/// The ordinal of the name that has the content.
Result<std::uint64_t> SnapshotTree::first_of(std::uint64_t hard_link) const {
    const std::lock_guard lock(meta_);
    if (!links_known_) HF_TRY(note_links());
    const auto found = links_.find(hard_link);
    if (found == links_.end()) return Error{Errc::Corrupt, "a hard link without its first name"};
    return found->second;
}

Result<void> SnapshotTree::note_links() const {
    links_.clear();
    HF_TRY(tree_->walk([&](std::uint64_t ordinal, const vault::Item& item) -> Result<void> {
        if (item.entry.hard_link != 0) links_.try_emplace(item.entry.hard_link, ordinal);
        return {};
    }));
    links_known_ = true;
    return {};
}

Result<std::size_t> SnapshotTree::read_file(const File& file, std::uint64_t ordinal,
                                            std::uint64_t offset,
                                            std::span<std::uint8_t> out) const {
    const std::uint64_t size = file.item->entry.size;
    if (offset >= size) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - offset)));
    const std::size_t wanted = out.size();
    const auto& parts = file.item->content.parts;
    if (parts.empty()) {
        const auto map = HF_TRY(map_of(file, ordinal));
        HF_TRY(read_map(*map, offset, out));
        return wanted;
    }
    // A terabyte has 4096 parts: walking them is cheaper than the chunk that comes next.
    std::uint64_t start = 0;
    for (const auto& part : parts) {
        if (out.empty()) break;
        if (offset < start + part.bytes) {
            const std::uint64_t within = offset - start;
            const auto here =
                static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), part.bytes - within));
            const auto map = HF_TRY(map_of(part));
            HF_TRY(read_map(*map, within, out.first(here)));
            out = out.subspan(here);
            offset += here;
        }
        start += part.bytes;
    }
    if (!out.empty()) return Error{Errc::Corrupt, "parts do not cover " + file.item->entry.path};
    return wanted;
}

std::shared_ptr<const SnapshotTree::Map> SnapshotTree::make_map(vault::Extents extents) {
    auto map = std::make_shared<Map>();
    std::uint64_t end = 0;
    for (const vault::Extent& extent : extents) map->ends.push_back(end += extent.length);
    map->extents = std::move(extents);
    return map;
}

Result<std::shared_ptr<const SnapshotTree::Map>> SnapshotTree::map_of(const File& file,
                                                                      std::uint64_t ordinal) const {
    {
        const std::lock_guard lock(meta_);
        if (auto kept = files_.find(ordinal)) return kept;
    }
    const vault::Item& item = *file.item;
    HF_TRY(check_covers(item.content.extents, item.entry.size).within(item.entry.path));
    auto map = make_map(item.content.extents);
    const std::lock_guard lock(meta_);
    files_.add(ordinal, map, map->extents.size() * (sizeof(vault::Extent) + 8) + 128);
    return map;
}

Result<std::shared_ptr<const SnapshotTree::Map>> SnapshotTree::map_of(
    const vault::ContentParts::Part& part) const {
    const std::lock_guard lock(meta_);
    if (auto kept = parts_.find(part.chunk)) return kept;
    const auto chunk = HF_TRY(meta_chunks_->read(part.chunk));
    ByteReader in(*chunk);
    vault::Extents extents = HF_TRY(vault::parse_extents(in));
    HF_TRY(check_covers(extents, part.bytes));
    auto map = make_map(std::move(extents));
    parts_.add(part.chunk, map, map->extents.size() * (sizeof(vault::Extent) + 8) + 128);
    return map;
}

/// Fills all of `out`; the map covers it.
Result<void> SnapshotTree::read_map(const Map& map, std::uint64_t offset,
                                    std::span<std::uint8_t> out) const {
    auto at = static_cast<std::size_t>(std::upper_bound(map.ends.begin(), map.ends.end(), offset) -
                                       map.ends.begin());
    for (; !out.empty(); ++at) {
        HF_ASSERT(at < map.extents.size());
        const vault::Extent& extent = map.extents[at];
        const std::uint64_t skip = offset - (map.ends[at] - extent.length);
        const auto here =
            static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), extent.length - skip));
        HF_TRY(read_extent(extent, skip, out.first(here)));
        out = out.subspan(here);
        offset += here;
    }
    return {};
}

Result<void> SnapshotTree::read_extent(const vault::Extent& extent, std::uint64_t skip,
                                       std::span<std::uint8_t> out) const {
    if (extent.hole()) {
        std::memset(out.data(), 0, out.size());
        return {};
    }
    std::shared_ptr<const Buffer> chunk;
    {
        Reader& reader = *readers_[IdHash<ChunkTag>()(extent.chunk) % readers_.size()];
        const std::lock_guard lock(reader.mutex);
        chunk = HF_TRY(reader.chunks->read(extent.chunk));
    }
    if (extent.skip + extent.length > chunk->size()) {
        return Error{Errc::Corrupt, "chunk " + extent.chunk.brief() + " is shorter than expected"};
    }
    std::memcpy(out.data(), chunk->data() + extent.skip + skip, out.size());
    return {};
}

}  // namespace holdfast::agent
