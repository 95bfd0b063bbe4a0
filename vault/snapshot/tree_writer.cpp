#include "vault/snapshot/tree_writer.h"

namespace holdfast::vault {
namespace {

constexpr std::size_t leaf_bytes_min = 16_KiB;
constexpr std::size_t leaf_bytes_max = 192_KiB;
constexpr std::uint64_t leaf_mask = 0xff;  // One path in 256, about 25 KiB behind the minimum.
constexpr std::size_t table_leaves_min = 64;
constexpr std::size_t table_leaves_max = 4096;
constexpr std::uint64_t table_mask = 0x1ff;
constexpr std::size_t table_bytes_max = 1_MiB;  // Paths may have 4 KiB each.

/// FNV-1a: where a leaf ends is no secret from whoever can read it.
std::uint64_t path_hash(std::string_view path) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (const char c : path) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return h ^ (h >> 29);
}

Buffer with_count(std::uint64_t count, View body) {
    Buffer out;
    ByteWriter writer(out);
    writer.varint(count);
    writer.bytes(body);
    return out;
}

}  // namespace

Result<void> TreeWriter::add(const Entry& entry, Extents extents) {
    HF_TRY(check_order(entry.path));
    for (const Extent& extent : extents) HF_TRY(needs_->need(extent.chunk));
    const ContentParts content = HF_TRY(in_parts(std::move(extents)));
    if (leaf_.entries == 0) leaf_.first_path = entry.path;
    ByteWriter meta(meta_);
    write_entry(meta, entry, leaf_.entries == 0 ? std::string_view() : last_path_);
    ByteWriter refs(refs_);
    write_content(refs, content);
    ++leaf_.entries;
    leaf_.bytes += entry.size;
    ++tree_.entries;
    tree_.bytes += entry.size;
    last_path_ = entry.path;
    const std::size_t bytes = meta_.size() + refs_.size();
    if (bytes < leaf_bytes_min) return {};
    if (bytes < leaf_bytes_max && (path_hash(entry.path) & leaf_mask) != 0) return {};
    return end_leaf();
}

Result<void> TreeWriter::check_order(const std::string& path) const {
    const bool first = tree_.entries == 0;
    if (first ? path.empty() : compare_paths(last_path_, path) < 0) return {};
    return Error{Errc::Invalid, "entry out of order: " + path};
}

Result<void> TreeWriter::adopt(LeafInfo leaf) {
    HF_ASSERT(between_leaves());
    HF_TRY(check_order(leaf.first_path));
    HF_TRY(needs_->need(leaf.meta));
    HF_TRY(needs_->need(leaf.refs));
    tree_.entries += leaf.entries;
    tree_.bytes += leaf.bytes;
    last_path_ = leaf.first_path;
    return list_leaf(std::move(leaf));
}

Result<ContentParts> TreeWriter::in_parts(Extents extents) {
    ContentParts content;
    if (extents.size() <= extents_inline_max) {
        content.extents = std::move(extents);
        return content;
    }
    for (std::size_t at = 0; at < extents.size(); at += extents_part_max) {
        const auto from = extents.begin() + static_cast<std::ptrdiff_t>(at);
        const std::size_t count = std::min(extents_part_max, extents.size() - at);
        const Extents part(from, from + static_cast<std::ptrdiff_t>(count));
        std::uint64_t bytes = 0;
        for (const Extent& extent : part) bytes += extent.length;
        const ChunkId id = HF_TRY(storer_->store(Kind::Refs, encode_extents(part)));
        HF_TRY(needs_->need(id));
        content.parts.push_back({id, bytes});
    }
    return content;
}

Result<void> TreeWriter::end_leaf() {
    if (leaf_.entries == 0) return {};
    leaf_.meta = HF_TRY(storer_->store(Kind::Meta, with_count(leaf_.entries, meta_)));
    leaf_.refs = HF_TRY(storer_->store(Kind::Refs, with_count(leaf_.entries, refs_)));
    HF_TRY(needs_->need(leaf_.meta));
    HF_TRY(needs_->need(leaf_.refs));
    meta_.clear();
    refs_.clear();
    return list_leaf(std::exchange(leaf_, {}));
}

Result<void> TreeWriter::list_leaf(LeafInfo leaf) {
    const std::uint64_t where = path_hash(leaf.first_path);
    table_bytes_ += leaf.first_path.size() + sizeof(ChunkId) + 16;
    table_.push_back(std::move(leaf));
    const bool full = table_.size() >= table_leaves_max || table_bytes_ >= table_bytes_max;
    if (!full && (table_.size() < table_leaves_min || (where & table_mask) != 0)) return {};
    return end_table();
}

Result<void> TreeWriter::end_table() {
    if (table_.empty()) return {};
    const ChunkId meta = HF_TRY(storer_->store(Kind::Meta, encode_meta_table(table_)));
    const ChunkId refs = HF_TRY(storer_->store(Kind::Refs, encode_refs_table(table_)));
    HF_TRY(needs_->need(meta));
    HF_TRY(needs_->need(refs));
    tree_.meta_tables.push_back(meta);
    tree_.refs_tables.push_back(refs);
    table_.clear();
    table_bytes_ = 0;
    return {};
}

Result<SourceTree> TreeWriter::finish() {
    HF_TRY(end_leaf());
    HF_TRY(end_table());
    return std::move(tree_);
}

}  // namespace holdfast::vault
