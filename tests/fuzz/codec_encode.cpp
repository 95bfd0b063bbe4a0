// Content of any kind: how often it repeats (2 bytes), then a piece of it.
#include "vault/base/assert.h"
#include "vault/chunk/codec.h"

using namespace holdfast;
using namespace holdfast::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Decoder decoder;
    static Encoder encoder;
    ByteReader in({data, size});
    const std::size_t times = in.u16();
    const View piece = in.bytes(in.left());
    if (!in.ok() || piece.empty() || piece.size() * times > 128_KiB) return 0;

    // What is added makes ramps, which the filters like.
    Buffer content;
    content.reserve(piece.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        for (const std::uint8_t b : piece) content.push_back(static_cast<std::uint8_t>(b + i / 8));
    }
    Buffer plain;
    Buffer back;
    encoder.encode(content, {}, plain);
    HF_ASSERT(plain.size() <= content.size() + codec_header_bytes);
    HF_ASSERT(decoder.decode(plain, content.size(), back));
    HF_ASSERT(back == content);
    return 0;
}
