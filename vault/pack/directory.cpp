#include "vault/pack/directory.h"

#include "vault/chunk/chunker.h"

#include <algorithm>
#include <bit>

namespace holdfast::vault {
namespace {

constexpr std::uint8_t directory_version = 1;
constexpr std::size_t chunk_record_bytes_min = 34;
constexpr std::uint64_t gap_numbers_max = 1 << 30;
constexpr std::uint64_t sealed_bytes_max = chunk_bytes_max + 2 + seal_tag_bytes;

Result<SegmentName> read_segment_name(ByteReader& in) {
    SegmentName name;
    name.domain = DomainId::read(in);
    name.epoch = EpochId::read(in);
    const View salt = in.bytes(name.salt.size());
    std::copy(salt.begin(), salt.end(), name.salt.begin());
    name.cipher = HF_TRY(cipher_from(in.u8()));
    const std::uint8_t kind = in.u8();
    if (kind < 1 || kind > 4) return Error{Errc::Corrupt, "a segment of unknown kind"};
    name.kind = static_cast<Kind>(kind);
    return name;
}

Result<DirectorySegment> read_segment(ByteReader& in, std::uint64_t& total) {
    DirectorySegment segment;
    segment.name = HF_TRY(read_segment_name(in));
    const std::uint64_t count = in.varint();
    if (count > in.left() / chunk_record_bytes_min) return Error{Errc::Corrupt, "too many chunks"};
    segment.chunks.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        DirectoryChunk chunk{ChunkId::read(in), 0, 0};
        const std::uint64_t sealed = in.varint();
        const std::uint64_t content = in.varint();
        if (sealed == 0) {
            if (!chunk.id.zero() || content == 0 || content > gap_numbers_max) {
                return Error{Errc::Corrupt, "an impossible gap"};
            }
        } else if (sealed < seal_tag_bytes || sealed > sealed_bytes_max ||
                   content > chunk_bytes_max) {
            return Error{Errc::Corrupt, "a chunk of impossible length"};
        }
        chunk.sealed_bytes = static_cast<std::uint32_t>(sealed);
        chunk.content_bytes = static_cast<std::uint32_t>(content);
        total += sealed;
        segment.chunks.push_back(chunk);
    }
    return segment;
}

/// True if some size class makes the lengths add up to the file's.
bool adds_up(std::uint64_t pack_bytes, std::uint64_t chunks_and_padding) {
    for (std::uint8_t size_class = 0; size_class <= directory_class_max; ++size_class) {
        if (pack_header_bytes + chunks_and_padding + directory_bytes(size_class) +
                pack_trailer_bytes ==
            pack_bytes) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::uint64_t padded_length(std::uint64_t length) {
    if (length <= pack_bytes_min) return pack_bytes_min;
    const int exponent = static_cast<int>(std::bit_width(length)) - 1;
    const int kept = static_cast<int>(std::bit_width(static_cast<unsigned>(exponent)));
    const std::uint64_t mask = (std::uint64_t{1} << (exponent - kept)) - 1;
    return (length + mask) & ~mask;
}

Buffer encode_directory(const Directory& directory) {
    Buffer out;
    ByteWriter writer(out);
    writer.u8(directory_version);
    writer.varint(directory.segments.size());
    for (const DirectorySegment& segment : directory.segments) {
        writer.bytes(segment.name.domain.view());
        writer.bytes(segment.name.epoch.view());
        writer.bytes(segment.name.salt);
        writer.u8(static_cast<std::uint8_t>(segment.name.cipher));
        writer.u8(static_cast<std::uint8_t>(segment.name.kind));
        writer.varint(segment.chunks.size());
        for (const DirectoryChunk& chunk : segment.chunks) {
            writer.bytes(chunk.id.view());
            writer.varint(chunk.sealed_bytes);
            writer.varint(chunk.content_bytes);
        }
    }
    writer.varint(directory.padding_bytes);
    return out;
}

Result<Directory> parse_directory(View plain, std::uint64_t pack_bytes) {
    ByteReader in(plain);
    if (in.u8() != directory_version) return Error{Errc::Corrupt, "directory of unknown version"};
    const std::uint64_t count = in.varint();
    if (count > segments_max) return Error{Errc::Corrupt, "too many segments"};
    Directory directory;
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        directory.segments.push_back(HF_TRY(read_segment(in, total)));
    }
    directory.padding_bytes = in.varint();
    if (!in.ok()) return Error{Errc::Corrupt, "directory cut short"};
    const View fill = in.bytes(in.left());
    const bool zeros = std::all_of(fill.begin(), fill.end(), [](auto b) { return b == 0; });
    if (!zeros) return Error{Errc::Corrupt, "bytes behind a directory"};
    if (directory.padding_bytes > pack_bytes ||
        !adds_up(pack_bytes, total + directory.padding_bytes)) {
        return Error{Errc::Corrupt, "a directory's lengths do not add up to its pack's"};
    }
    return directory;
}

}  // namespace holdfast::vault
