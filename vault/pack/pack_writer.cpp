#include "vault/pack/pack_writer.h"

#include "vault/crypto/hash.h"
#include "vault/crypto/merkle.h"

#include <algorithm>
#include <array>

namespace holdfast::vault {
namespace {

constexpr std::size_t chunk_record_bytes_max = 40;
constexpr std::size_t segment_record_bytes_max = 100;

SegmentName new_segment(const Epoch& epoch, Kind kind, Random& random) {
    SegmentName name{epoch.domain, epoch.id, {}, fastest_cipher(), kind};
    random.fill(name.salt);
    return name;
}

const Secret& epoch_key(const Epoch& epoch, Kind kind) {
    return is_content(kind) ? epoch.content : epoch.map;
}

std::uint8_t class_for(std::uint64_t plain_bytes) {
    std::uint8_t size_class = 0;
    while (directory_bytes(size_class) < plain_bytes + seal_tag_bytes) ++size_class;
    HF_ASSERT(size_class <= directory_class_max);
    return size_class;
}

void append_trailer(Buffer& file, const SegmentName& name, std::uint8_t size_class) {
    ByteWriter writer(file);
    writer.bytes(name.epoch.view());
    writer.bytes(name.salt);
    writer.u8(static_cast<std::uint8_t>(name.cipher));
    writer.u8(size_class);
    writer.u32(0);
    writer.u16(0);
    writer.bytes(as_view(pack_trailer_magic));
}

/// How many bytes of padding bring `body` (all but padding and directory) to a padded length. The
/// directory holds this number, so its class is taken for the longest varint.
std::uint64_t padding_for(std::uint64_t body, std::uint64_t directory_size) {
    std::uint64_t want = padded_length(body + directory_size);
    std::uint64_t padding = want - body - directory_size;
    // One to fifteen bytes cannot be a sealed chunk: go to the next length.
    if (padding != 0 && padding < seal_tag_bytes) {
        want = padded_length(want + 1);
        padding = want - body - directory_size;
    }
    return padding;
}

}  // namespace

SegmentWriter::SegmentWriter(const Epoch& epoch, Kind kind, Random& random)
    : segment_{{new_segment(epoch, kind, random), {}}, {}},
      sealer_(directory().name.cipher, segment_key(directory().name, epoch_key(epoch, kind))) {}

void SegmentWriter::add(const ChunkId& id, std::uint32_t content_bytes, View coded) {
    DirectorySegment& records = segment_.directory;
    Buffer& sealed = segment_.sealed;
    const std::uint64_t number = records.chunks.size();
    const std::size_t before = sealed.size();
    // It becomes a pack as it is; what is not written to takes no memory.
    if (sealed.empty()) sealed.reserve(pack_bytes_aim);
    sealer_.seal(number, chunk_additional(records.name, number, id.view()), coded, sealed);
    records.chunks.push_back(
        {id, static_cast<std::uint32_t>(sealed.size() - before), content_bytes});
}

std::uint64_t SealedSegment::bytes() const {
    return sealed.size() + directory.chunks.size() * chunk_record_bytes_max +
           segment_record_bytes_max;
}

BuiltPack build_pack(std::vector<SegmentWriter> segments, const Epoch& epoch, Random& random) {
    std::vector<SealedSegment> sealed;
    sealed.reserve(segments.size());
    for (SegmentWriter& segment : segments) sealed.push_back(std::move(segment).take());
    return build_pack(std::move(sealed), epoch, random);
}

BuiltPack build_pack(std::vector<SealedSegment> segments, const Epoch& epoch, Random& random) {
    HF_ASSERT(!segments.empty());
    BuiltPack pack;
    std::uint64_t body = pack_header_bytes + pack_trailer_bytes;
    for (const SealedSegment& segment : segments) {
        HF_ASSERT(!segment.sealed.empty());
        body += segment.sealed.size();
        pack.directory.segments.push_back(segment.directory);
    }
    pack.directory.padding_bytes = pack_bytes_max;  // The longest varint that can come.
    const std::uint8_t size_class = class_for(encode_directory(pack.directory).size());
    pack.directory.padding_bytes = padding_for(body, directory_bytes(size_class));

    // The first segment grows into the file: a copy would be the largest thing that a worker holds.
    Buffer& file = pack.file;
    file = std::move(segments.front().sealed);
    file.reserve(body + pack.directory.padding_bytes + directory_bytes(size_class));
    Buffer header;
    ByteWriter head(header);
    head.bytes(as_view(pack_header_magic));
    head.u64(0);
    file.insert(file.begin(), header.begin(), header.end());
    ByteWriter writer(file);
    for (std::size_t i = 1; i < segments.size(); ++i) writer.bytes(segments[i].sealed);
    segments.clear();

    const SegmentName name = new_segment(epoch, Kind::Directory, random);
    Sealer sealer(name.cipher, segment_key(name, epoch.map));
    const ChunkId none{};
    if (pack.directory.padding_bytes != 0) {
        const Buffer zeros(pack.directory.padding_bytes - seal_tag_bytes);
        sealer.seal(1, chunk_additional(name, 1, none.view()), zeros, file);
    }
    Buffer plain = encode_directory(pack.directory);
    plain.resize(directory_bytes(size_class) - seal_tag_bytes);
    sealer.seal(0, chunk_additional(name, 0, none.view()), plain, file);
    append_trailer(file, name, size_class);
    HF_ASSERT(file.size() <= pack_bytes_max);
    pack.id = pack_id_of(file);
    return pack;
}

PackId pack_id_of(View file) {
    Buffer length;
    ByteWriter(length).u64(file.size());
    const Digest root = merkle_root_of_file(file);
    return PackId{hash("pack", {length, root.view()}).digest};
}

}  // namespace holdfast::vault
