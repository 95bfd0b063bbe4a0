// A manifest: its map part, a zero byte, its content part.
#include "vault/snapshot/manifest.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    const std::string_view map = text.substr(0, text.find('\0'));
    auto manifest = parse_map_part(map);
    if (!manifest) {
        HF_ASSERT(manifest.error().code == Errc::Corrupt);
        return 0;
    }
    HF_ASSERT(manifest->sources.size() <= sources_max);
    const std::string map_again = encode_map_part(*manifest);

    const auto content =
        parse_content_part(text.substr(std::min(map.size() + 1, text.size())), *manifest);
    if (!content) {
        HF_ASSERT(content.error().code == Errc::Corrupt);
        return 0;
    }
    HF_ASSERT(manifest->warnings.size() <= manifest_warnings_max);
    auto again = parse_map_part(map_again);
    HF_ASSERT(again && parse_content_part(encode_content_part(*manifest), *again));
    HF_ASSERT(encode_content_part(*again) == encode_content_part(*manifest));
    return 0;
}
