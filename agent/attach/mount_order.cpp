#include "agent/attach/mount_order.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::string_view magic = "HFMOUNT1";
constexpr std::size_t path_max = 4'096;
constexpr std::size_t tables_max = 1 << 16;

void write_ids(ByteWriter& out, const std::vector<ChunkId>& ids) {
    out.varint(ids.size());
    for (const ChunkId& id : ids) out.bytes(id.view());
}

std::vector<ChunkId> read_ids(ByteReader& in) {
    const std::uint64_t count = in.varint();
    if (count > tables_max) in.fail();
    std::vector<ChunkId> ids;
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) ids.push_back(ChunkId::read(in));
    return ids;
}

Buffer encode_clear(const MountOrder& order) {
    Buffer clear;
    ByteWriter out(clear);
    out.bytes(as_view(magic));
    out.text(order.store);
    out.text(order.index);
    out.bytes(order.snapshot.view());
    for (const std::string* text : {&order.name, &order.folder, &order.overlay, &order.status}) {
        out.text(*text);
    }
    out.u8(order.owner ? 1 : 0);
    if (order.owner) {
        out.u32(order.owner->uid);
        out.u32(order.owner->gid);
    }
    write_ids(out, order.tree.meta_tables);
    write_ids(out, order.tree.refs_tables);
    out.varint(order.tree.entries);
    out.varint(order.tree.bytes);
    return clear;
}

}  // namespace

vault::Secret encode_mount_order(const MountOrder& order, const SegmentKeys& keys) {
    Buffer clear = encode_clear(order);
    const vault::Secret secret = keys.encode();
    ByteWriter(clear).u32(static_cast<std::uint32_t>(secret.size()));
    vault::Secret out(clear.size() + secret.size());
    std::uint8_t* const end = std::copy(clear.begin(), clear.end(), out.data());
    std::copy(secret.view().begin(), secret.view().end(), end);
    return out;
}

Result<ParsedMountOrder> parse_mount_order(View bytes) {
    ByteReader in(bytes);
    ParsedMountOrder parsed;
    MountOrder& order = parsed.order;
    if (as_text(in.bytes(magic.size())) != magic) return Error{Errc::Corrupt, "no mount order"};
    order.store = in.text(path_max);
    order.index = in.text(path_max);
    order.snapshot = vault::SnapshotId::read(in);
    for (std::string* text : {&order.name, &order.folder, &order.overlay, &order.status}) {
        *text = in.text(path_max);
    }
    if (in.u8() != 0) {
        const std::uint32_t uid = in.u32();
        order.owner = Owner{uid, in.u32()};
    }
    order.tree.meta_tables = read_ids(in);
    order.tree.refs_tables = read_ids(in);
    order.tree.entries = in.varint();
    order.tree.bytes = in.varint();
    const View keys = in.bytes(in.u32());
    if (!in.done()) return Error{Errc::Corrupt, "the mount order is cut off"};
    parsed.keys = HF_TRY(SegmentKeys::parse(keys));
    return parsed;
}

}  // namespace holdfast::agent
