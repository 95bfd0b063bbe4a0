// A list object from a vault, and lists whose bases are all that object.
#include "vault/ledger/list.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes{data, size};
    const auto object = parse_list(bytes);
    if (!object) return 0;

    const auto again = parse_list(encode_list(*object));
    HF_ASSERT(again);
    HF_ASSERT(again->base == object->base && again->added == object->added);
    HF_ASSERT(again->removed == object->removed);

    const ListId id = list_id(object->added);
    const auto resolved = resolve_list(
        id, [&](const ListId&) -> Result<Buffer> { return Buffer(data, data + size); });
    HF_ASSERT(bool(resolved) == object->base.zero());
    if (resolved) HF_ASSERT(resolved->packs == object->added);
    return 0;
}
