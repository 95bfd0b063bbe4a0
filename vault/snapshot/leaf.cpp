#include "vault/snapshot/leaf.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::size_t name_bytes_max = 256;
// The shortest of each, so that a count cannot ask for more memory than its bytes account for.
constexpr std::size_t entry_bytes_min = 14;
constexpr std::size_t leaf_record_bytes_min = 35;
constexpr std::size_t refs_record_bytes_min = 33;

bool is_device(FileType type) {
    return type == FileType::CharDevice || type == FileType::BlockDevice;
}

bool is_file_type(std::uint8_t byte) {
    return std::string_view("fdlpscb").find(static_cast<char>(byte)) != std::string_view::npos;
}

void read_xattrs(ByteReader& in, Entry& entry) {
    const std::uint64_t count = in.varint();
    if (count > xattrs_max) in.fail();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        std::string name = in.text(name_bytes_max);
        const View value = in.blob(xattr_bytes_max);
        entry.xattrs.emplace_back(std::move(name), Buffer(value.begin(), value.end()));
    }
}

/// A path from another trust is data, not a wish: no way out of the folder that it is restored to.
bool is_safe_path(std::string_view path) {
    if (path.empty()) return true;
    if (path.size() > path_bytes_max || path.find('\0') != std::string_view::npos) return false;
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string_view name = path.substr(start, end - start);
        if (name.empty() || name == "." || name == "..") return false;
        start = end + 1;
    }
    return true;
}

Result<Entry> read_entry(ByteReader& in, const std::string& previous_path) {
    Entry entry;
    const std::uint64_t shared = in.varint();
    const std::string rest = in.text(path_bytes_max);
    if (shared > previous_path.size()) in.fail();
    if (in.ok()) entry.path = previous_path.substr(0, shared) + rest;
    const std::uint8_t type = in.u8();
    if (!in.ok() || !is_file_type(type) || !is_safe_path(entry.path)) {
        return Error{Errc::Corrupt, "an entry with an impossible path or type"};
    }
    entry.type = static_cast<FileType>(type);
    entry.mode = static_cast<std::uint32_t>(in.varint()) & 07777;
    entry.uid = static_cast<std::uint32_t>(in.varint());
    entry.gid = static_cast<std::uint32_t>(in.varint());
    entry.user = in.text(name_bytes_max);
    entry.group = in.text(name_bytes_max);
    entry.mtime_ns = in.svarint();
    entry.ctime_ns = static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.mtime_ns) +
                                               static_cast<std::uint64_t>(in.svarint()));
    entry.inode = in.varint();
    entry.size = in.varint();
    entry.hard_link = in.varint();
    if (is_device(entry.type)) entry.device = in.varint();
    if (entry.type == FileType::Symlink) entry.link_target = in.text(path_bytes_max);
    read_xattrs(in, entry);
    if (!in.ok()) return Error{Errc::Corrupt, "entry cut short: " + entry.path};
    return entry;
}

}  // namespace

void write_entry(ByteWriter& out, const Entry& entry, std::string_view previous_path) {
    const auto both = std::mismatch(entry.path.begin(), entry.path.end(), previous_path.begin(),
                                    previous_path.end());
    const std::size_t shared = static_cast<std::size_t>(both.first - entry.path.begin());
    out.varint(shared);
    out.text(std::string_view(entry.path).substr(shared));
    out.u8(static_cast<std::uint8_t>(entry.type));
    out.varint(entry.mode);
    out.varint(entry.uid);
    out.varint(entry.gid);
    out.text(entry.user);
    out.text(entry.group);
    out.svarint(entry.mtime_ns);
    out.svarint(static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.ctime_ns) -
                                          static_cast<std::uint64_t>(entry.mtime_ns)));
    out.varint(entry.inode);
    out.varint(entry.size);
    out.varint(entry.hard_link);
    if (is_device(entry.type)) out.varint(entry.device);
    if (entry.type == FileType::Symlink) out.text(entry.link_target);
    out.varint(entry.xattrs.size());
    for (const auto& [name, value] : entry.xattrs) {
        out.text(name);
        out.blob(value);
    }
}

Result<std::vector<Item>> parse_leaf(View meta, View refs) {
    ByteReader meta_in(meta);
    ByteReader refs_in(refs);
    const std::uint64_t count = meta_in.varint();
    if (refs_in.varint() != count || count > meta_in.left() / entry_bytes_min) {
        return Error{Errc::Corrupt, "a metadata leaf and its refs leaf do not match"};
    }
    std::vector<Item> items;
    items.reserve(count);
    std::string previous;
    for (std::uint64_t i = 0; i < count; ++i) {
        // Not in one pair of braces: returning from within leaks the members made before.
        Item item;
        item.entry = HF_TRY(read_entry(meta_in, previous));
        item.content = HF_TRY(parse_content(refs_in));
        if (i != 0 && compare_paths(previous, item.entry.path) >= 0) {
            return Error{Errc::Corrupt, "entries out of order at " + item.entry.path};
        }
        previous = item.entry.path;
        items.push_back(std::move(item));
    }
    if (!meta_in.done() || !refs_in.done()) {
        return Error{Errc::Corrupt, "bytes behind a metadata leaf"};
    }
    return items;
}

Buffer encode_meta_table(const std::vector<LeafInfo>& leaves) {
    Buffer out;
    ByteWriter writer(out);
    writer.varint(leaves.size());
    for (const LeafInfo& leaf : leaves) {
        writer.bytes(leaf.meta.view());
        writer.varint(leaf.entries);
        writer.text(leaf.first_path);
        writer.varint(leaf.bytes);
    }
    return out;
}

Buffer encode_refs_table(const std::vector<LeafInfo>& leaves) {
    Buffer out;
    ByteWriter writer(out);
    writer.varint(leaves.size());
    for (const LeafInfo& leaf : leaves) {
        writer.bytes(leaf.refs.view());
        writer.varint(leaf.entries);
    }
    return out;
}

Result<std::vector<ChunkId>> parse_refs_table(View refs) {
    ByteReader in(refs);
    const std::uint64_t count = in.varint();
    if (count > in.left() / refs_record_bytes_min) return Error{Errc::Corrupt, "a damaged table"};
    std::vector<ChunkId> leaves;
    leaves.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        leaves.push_back(ChunkId::read(in));
        in.varint();  // How many entries.
    }
    if (!in.done()) return Error{Errc::Corrupt, "a damaged table"};
    return leaves;
}

Result<std::vector<ContentParts>> parse_refs_leaf(View refs) {
    ByteReader in(refs);
    const std::uint64_t count = in.varint();
    if (count > in.left()) return Error{Errc::Corrupt, "a damaged refs leaf"};
    std::vector<ContentParts> contents;
    contents.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) contents.push_back(HF_TRY(parse_content(in)));
    if (!in.done()) return Error{Errc::Corrupt, "bytes behind a refs leaf"};
    return contents;
}

Result<std::vector<LeafInfo>> parse_tables(View meta, View refs) {
    ByteReader meta_in(meta);
    ByteReader refs_in(refs);
    const std::uint64_t count = meta_in.varint();
    if (refs_in.varint() != count || count > meta_in.left() / leaf_record_bytes_min) {
        return Error{Errc::Corrupt, "a metadata table and its refs table do not match"};
    }
    std::vector<LeafInfo> leaves;
    leaves.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        LeafInfo leaf;
        leaf.meta = ChunkId::read(meta_in);
        leaf.entries = meta_in.varint();
        leaf.first_path = meta_in.text(path_bytes_max);
        leaf.bytes = meta_in.varint();
        leaf.refs = ChunkId::read(refs_in);
        if (refs_in.varint() != leaf.entries) meta_in.fail();
        leaves.push_back(std::move(leaf));
    }
    if (!meta_in.done() || !refs_in.done()) return Error{Errc::Corrupt, "a damaged table"};
    return leaves;
}

}  // namespace holdfast::vault
