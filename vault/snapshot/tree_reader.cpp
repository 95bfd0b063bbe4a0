#include "vault/snapshot/tree_reader.h"

#include <algorithm>

namespace holdfast::vault {

Result<TreeReader> TreeReader::open(const SourceTree& tree, ChunkReader& chunks) {
    if (tree.meta_tables.size() != tree.refs_tables.size()) {
        return Error{Errc::Corrupt, "a manifest with tables that do not match"};
    }
    std::vector<LeafInfo> leaves;
    for (std::size_t i = 0; i < tree.meta_tables.size(); ++i) {
        const auto meta = HF_TRY(chunks.read(tree.meta_tables[i]));
        const auto refs = HF_TRY(chunks.read(tree.refs_tables[i]));
        for (LeafInfo& leaf : HF_TRY(parse_tables(*meta, *refs))) leaves.push_back(std::move(leaf));
    }
    return TreeReader(std::move(leaves), chunks);
}

Result<std::vector<Item>> TreeReader::leaf(std::size_t number) const {
    const LeafInfo& info = leaves_[number];
    const auto meta = HF_TRY(chunks_->read(info.meta));
    const auto refs = HF_TRY(chunks_->read(info.refs));
    auto items = HF_TRY(parse_leaf(*meta, *refs));
    if (items.size() != info.entries || items.empty() ||
        items.front().entry.path != info.first_path) {
        return Error{Errc::Corrupt, "a metadata leaf is not what its table says"};
    }
    return items;
}

Result<void> TreeReader::walk(
    const std::function<Result<void>(std::uint64_t ordinal, const Item&)>& visit) const {
    std::uint64_t ordinal = 0;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
        for (const Item& item : HF_TRY(leaf(i))) HF_TRY(visit(ordinal++, item));
    }
    return {};
}

std::optional<std::size_t> TreeReader::leaf_of(std::string_view path) const {
    const auto after = std::upper_bound(leaves_.begin(), leaves_.end(), path,
                                        [](std::string_view wanted, const LeafInfo& leaf) {
                                            return compare_paths(wanted, leaf.first_path) < 0;
                                        });
    if (after == leaves_.begin()) return std::nullopt;
    return static_cast<std::size_t>(after - leaves_.begin()) - 1;
}

Result<Item> TreeReader::find(std::string_view path) const {
    if (const auto number = leaf_of(path)) {
        for (const Item& item : HF_TRY(leaf(*number))) {
            if (item.entry.path == path) return item;
        }
    }
    return Error{Errc::NotFound, "the snapshot has no " + std::string(path)};
}

Result<Extents> TreeReader::extents(const Item& item) const {
    Extents extents = item.content.extents;
    for (const ContentParts::Part& part : item.content.parts) {
        const auto chunk = HF_TRY(chunks_->read(part.chunk));
        ByteReader in(*chunk);
        const Extents more = HF_TRY(parse_extents(in));
        if (!in.done()) return Error{Errc::Corrupt, "bytes behind a file's extents"};
        HF_TRY(check_covers(more, part.bytes));
        extents.insert(extents.end(), more.begin(), more.end());
    }
    if (!extents.empty()) HF_TRY(check_covers(extents, item.entry.size).within(item.entry.path));
    return extents;
}

Result<const Item*> TreeCursor::find(std::string_view path) {
    for (;;) {
        while (at_ < items_.size() && compare_paths(items_[at_].entry.path, path) < 0) ++at_;
        if (at_ < items_.size()) {
            const Item& item = items_[at_];
            return item.entry.path == path ? &item : nullptr;
        }
        // Leaves that end before the path are not read: the one after next starts at or below it.
        while (next_leaf_ + 1 < tree_->leaves() &&
               compare_paths(tree_->info(next_leaf_ + 1).first_path, path) <= 0) {
            ++next_leaf_;
        }
        if (next_leaf_ >= tree_->leaves()) return nullptr;
        if (compare_paths(tree_->info(next_leaf_).first_path, path) > 0) return nullptr;
        items_ = HF_TRY(tree_->leaf(next_leaf_++));
        at_ = 0;
    }
}

}  // namespace holdfast::vault
