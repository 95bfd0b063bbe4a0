// Files that people carry: a recovery kit, a person's and a custodian's key. And JSON, as all read
// it.
#include "vault/base/assert.h"
#include "vault/base/json.h"
#include "vault/keys/kit.h"

using namespace holdfast;
using namespace holdfast::vault;

namespace {

void check_kit(std::string_view text) {
    const auto kit = parse_kit(text);
    if (!kit) {
        HF_ASSERT(kit.error().code == Errc::Corrupt);
        return;
    }
    HF_ASSERT(kit->partners.size() <= kit_partners_max);
    const std::string once = kit_text(*kit);
    const auto again = parse_kit(once);
    HF_ASSERT(again && again->partners == kit->partners && kit_text(*again) == once);
}

void check_key(std::string_view text, KeyUse use) {
    const auto key = parse_locked_key(text, use);
    if (!key) {
        HF_ASSERT(key.error().code == Errc::Corrupt);
        return;
    }
    HF_ASSERT(key->use == use && key->lock.sealed.size() <= locked_bytes_max);
    const std::string once = locked_key_text(*key);
    const auto again = parse_locked_key(once, use);
    HF_ASSERT(again && locked_key_text(*again) == once);
}

void check_json(std::string_view text) {
    const auto json = parse_json(text);
    if (!json) return;
    const std::string once = json_text(*json);
    const auto again = parse_json(once);
    HF_ASSERT(again && json_text(*again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    check_kit(text);
    check_key(text, KeyUse::Person);
    check_key(text, KeyUse::Custodian);
    check_json(text);
    return 0;
}
