// A pack directory's plaintext: the pack's length (4 bytes), then the directory.
#include "vault/base/assert.h"
#include "vault/pack/directory.h"

using namespace holdfast;
using namespace holdfast::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in({data, size});
    const std::uint64_t pack_bytes = in.u32();
    const auto directory = parse_directory(in.bytes(in.left()), pack_bytes);
    if (!directory) {
        HF_ASSERT(directory.error().code == Errc::Corrupt);
        return 0;
    }

    std::uint64_t sum = directory->padding_bytes;
    for (const DirectorySegment& segment : directory->segments) {
        for (const DirectoryChunk& chunk : segment.chunks) sum += chunk.sealed_bytes;
    }
    HF_ASSERT(sum <= pack_bytes);
    const Buffer plain = encode_directory(*directory);
    const auto again = parse_directory(plain, pack_bytes);
    HF_ASSERT(again && encode_directory(*again) == plain);
    return 0;
}
