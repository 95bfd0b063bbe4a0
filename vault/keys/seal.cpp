#include "vault/keys/seal.h"

#include "vault/base/bytes.h"
#include "vault/keys/json_fields.h"

#include <array>

namespace holdfast::vault {
namespace {

constexpr std::size_t seal_bytes = 8;

}  // namespace

std::string make_seal(Random& random) {
    std::array<std::uint8_t, seal_bytes> bytes{};
    random.fill(bytes);
    return to_hex(bytes);
}

bool is_seal(std::string_view text) {
    return text.size() == 2 * seal_bytes && from_hex(text);
}

std::string read_seal(Fields& in) {
    if (!in.has("seal")) return {};
    std::string seal = in.text("seal");
    if (!is_seal(seal)) in.fail("seal", "expected 16 hexadecimal digits");
    return seal;
}

}  // namespace holdfast::vault
