#include "vault/snapshot/extent.h"

#include "vault/chunk/chunker.h"

namespace holdfast::vault {
namespace {

enum Form : std::uint8_t { Hole = 0, Whole = 1, Inside = 2, InSameChunk = 3 };
enum ContentForm : std::uint8_t { None = 0, Inline = 1, InParts = 2 };

void write_extent(ByteWriter& out, const Extent& extent, const Extent* before) {
    out.varint(extent.length);
    if (extent.hole()) {
        out.u8(Hole);
    } else if (before != nullptr && before->chunk == extent.chunk) {
        out.u8(InSameChunk);
        out.varint(extent.skip);
    } else if (extent.whole) {
        out.u8(Whole);
        out.bytes(extent.chunk.view());
    } else {
        out.u8(Inside);
        out.bytes(extent.chunk.view());
        out.varint(extent.skip);
    }
}

Result<Extent> parse_extent(ByteReader& in, const Extents& before) {
    Extent extent;
    extent.length = in.varint();
    const std::uint8_t form = in.u8();
    if (form == Hole) return extent;
    if (form == InSameChunk) {
        if (before.empty() || before.back().hole()) in.fail();
        if (in.ok()) extent.chunk = before.back().chunk;
    } else {
        extent.chunk = ChunkId::read(in);
    }
    extent.whole = form == Whole;
    const std::uint64_t skip = form == Whole ? 0 : in.varint();
    if (!in.ok() || form > InSameChunk || extent.length > chunk_bytes_max ||
        skip > chunk_bytes_max - extent.length || extent.chunk.zero() || extent.length == 0) {
        return Error{Errc::Corrupt, "an extent that points nowhere"};
    }
    extent.skip = static_cast<std::uint32_t>(skip);
    return extent;
}

}  // namespace

Buffer encode_extents(const Extents& extents) {
    Buffer out;
    ByteWriter writer(out);
    writer.varint(extents.size());
    const Extent* before = nullptr;
    for (const Extent& extent : extents) {
        write_extent(writer, extent, before);
        before = extent.hole() ? nullptr : &extent;
    }
    return out;
}

Result<Extents> parse_extents(ByteReader& in) {
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > in.left()) return Error{Errc::Corrupt, "too many extents"};
    Extents extents;
    extents.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        extents.push_back(HF_TRY(parse_extent(in, extents)));
    }
    if (!in.ok()) return Error{Errc::Corrupt, "extents cut short"};
    return extents;
}

void write_content(ByteWriter& out, const ContentParts& content) {
    if (!content.parts.empty()) {
        out.u8(InParts);
        out.varint(content.parts.size());
        for (const ContentParts::Part& part : content.parts) {
            out.bytes(part.chunk.view());
            out.varint(part.bytes);
        }
    } else if (!content.extents.empty()) {
        out.u8(Inline);
        out.bytes(encode_extents(content.extents));
    } else {
        out.u8(None);
    }
}

Result<ContentParts> parse_content(ByteReader& in) {
    ContentParts content;
    const std::uint8_t form = in.u8();
    if (form == Inline) content.extents = HF_TRY(parse_extents(in));
    if (form == InParts) {
        const std::uint64_t count = in.varint();
        if (count > in.left()) return Error{Errc::Corrupt, "too many parts"};
        for (std::uint64_t i = 0; i < count; ++i) {
            const ChunkId chunk = ChunkId::read(in);
            content.parts.push_back({chunk, in.varint()});
        }
    }
    if (!in.ok() || form > InParts) return Error{Errc::Corrupt, "a refs leaf of unknown form"};
    return content;
}

Result<void> check_covers(const Extents& extents, std::uint64_t size) {
    std::uint64_t sum = 0;
    for (const Extent& extent : extents) {
        if (extent.length > size - sum) return Error{Errc::Corrupt, "extents exceed their file"};
        sum += extent.length;
    }
    if (sum != size) return Error{Errc::Corrupt, "extents do not cover their file"};
    return {};
}

}  // namespace holdfast::vault
