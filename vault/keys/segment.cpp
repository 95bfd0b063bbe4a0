#include "vault/keys/segment.h"

#include "vault/crypto/hash.h"

namespace holdfast::vault {

Secret segment_key(const SegmentName& segment, const Secret& epoch_key) {
    const std::uint8_t kind = static_cast<std::uint8_t>(segment.kind);
    return derive(epoch_key, "segment", {segment.salt, View(&kind, 1), segment.domain.view()});
}

Buffer chunk_additional(const SegmentName& segment, std::uint64_t number, View chunk_id) {
    Buffer rest;
    ByteWriter writer(rest);
    writer.u8(static_cast<std::uint8_t>(segment.kind));
    writer.u64(number);
    return tagged("chunk", {segment.domain.view(), segment.salt, rest, chunk_id});
}

}  // namespace holdfast::vault
