// A chunk's plaintext from a vault: the content's length (3 bytes), then codec, filter, payload.
#include "vault/base/assert.h"
#include "vault/chunk/codec.h"

using namespace holdfast;
using namespace holdfast::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Decoder decoder;
    static Encoder encoder;
    ByteReader in({data, size});
    const std::size_t length = in.u16() | std::size_t{in.u8()} << 16;
    if (!in.ok()) return 0;

    Buffer content;
    const bool taken = bool(decoder.decode(in.bytes(in.left()), length, content));
    HF_ASSERT(content.size() == (taken ? length : 0));
    if (!taken || length > 64_KiB) return 0;

    Buffer again;
    Buffer back;
    encoder.encode(content, {}, again);
    HF_ASSERT(decoder.decode(again, length, back));
    HF_ASSERT(back == content);
    return 0;
}
