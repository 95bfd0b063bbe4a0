// A snapshot's metadata: the length of one stream (2 bytes), that stream, and the other. They are
// read as leaves and as tables; the second also as the content of a file.
#include "vault/snapshot/leaf.h"
#include "vault/base/assert.h"
#include "vault/chunk/chunker.h"

using namespace holdfast;
using namespace holdfast::vault;

namespace {

template <class T>
bool taken(const Result<T>& result) {
    HF_ASSERT(result || result.error().code == Errc::Corrupt);
    return bool(result);
}

void check_extents(const Extents& extents) {
    for (const Extent& extent : extents) {
        if (extent.hole()) continue;
        HF_ASSERT(extent.length <= chunk_bytes_max);
        HF_ASSERT(extent.skip + extent.length <= chunk_bytes_max);
    }
}

void check_item(const Item& item, const std::string& previous) {
    const Entry& entry = item.entry;
    HF_ASSERT(entry.path.size() <= path_bytes_max && !entry.path.starts_with('/'));
    HF_ASSERT(("/" + entry.path + "/").find("/../") == std::string::npos);
    HF_ASSERT(previous.empty() || compare_paths(previous, entry.path) < 0);
    check_extents(item.content.extents);
}

void check_leaf(View meta, View refs) {
    const auto items = parse_leaf(meta, refs);
    if (!taken(items)) return;
    Buffer meta_again;
    Buffer refs_again;
    ByteWriter meta_out(meta_again);
    ByteWriter refs_out(refs_again);
    meta_out.varint(items->size());
    refs_out.varint(items->size());
    std::string previous;
    for (const Item& item : *items) {
        check_item(item, previous);
        write_entry(meta_out, item.entry, previous);
        write_content(refs_out, item.content);
        previous = item.entry.path;
    }
    const auto again = parse_leaf(meta_again, refs_again);
    HF_ASSERT(again && again->size() == items->size());
    for (std::size_t i = 0; i < items->size(); ++i) {
        HF_ASSERT((*again)[i].entry == (*items)[i].entry);
    }
}

void check_tables(View meta, View refs) {
    const auto leaves = parse_tables(meta, refs);
    if (!taken(leaves)) return;
    const Buffer again = encode_meta_table(*leaves);
    HF_ASSERT(parse_tables(again, encode_refs_table(*leaves)));
    const auto refs_alone = parse_refs_table(refs);
    HF_ASSERT(refs_alone && refs_alone->size() == leaves->size());
}

void check_content(View bytes) {
    ByteReader in(bytes);
    const auto content = parse_content(in);
    if (!taken(content)) return;
    check_extents(content->extents);
    std::uint64_t size = 0;
    for (const Extent& extent : content->extents) size += extent.length;
    static_cast<void>(taken(check_covers(content->extents, size)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in({data, size});
    const View first = in.bytes(in.u16());
    const View second = in.bytes(in.left());
    if (!in.ok()) return 0;
    check_leaf(first, second);
    check_tables(first, second);
    check_content(second);
    static_cast<void>(taken(parse_refs_table(second)));
    static_cast<void>(taken(parse_refs_leaf(second)));
    return 0;
}
