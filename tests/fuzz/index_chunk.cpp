// An index chunk: copies of pack directories.
#include "vault/snapshot/index_chunk.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto packs = parse_index_chunk({data, size});
    if (!packs) {
        HF_ASSERT(packs.error().code == Errc::Corrupt);
        return 0;
    }
    const Buffer content = encode_index_chunk(*packs);
    const auto again = parse_index_chunk(content);
    HF_ASSERT(again && encode_index_chunk(*again) == content);
    return 0;
}
