#include "vault/crypto/base64.h"

#include <sodium.h>

namespace holdfast::vault {
namespace {

constexpr int variant = sodium_base64_VARIANT_ORIGINAL;

std::size_t encoded_size(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

// Decodes into `out`, which has room for text.size() bytes. -1: not base64.
std::ptrdiff_t decode(View text, std::uint8_t* out) {
    if (text.empty()) return 0;  // The library must not be given null pointers.
    std::size_t size = 0;
    const char* from = reinterpret_cast<const char*>(text.data());
    if (sodium_base642bin(out, text.size(), from, text.size(), nullptr, &size, nullptr, variant) !=
        0) {
        return -1;
    }
    return static_cast<std::ptrdiff_t>(size);
}

}  // namespace

std::string to_base64(View bytes) {
    std::string text(encoded_size(bytes.size()) + 1, '\0');  // Room for the end mark.
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), variant);
    text.pop_back();
    return text;
}

Result<Buffer> from_base64(std::string_view text) {
    Buffer out(text.size());
    const std::ptrdiff_t size = decode(as_view(text), out.data());
    if (size < 0) return Error{Errc::Invalid, "not base64"};
    out.resize(static_cast<std::size_t>(size));
    return out;
}

Secret secret_to_base64(View bytes) {
    Secret text(encoded_size(bytes.size()) + 1);
    sodium_bin2base64(reinterpret_cast<char*>(text.data()), text.size(), bytes.data(), bytes.size(),
                      variant);
    return Secret::copy_of(text.view().first(text.size() - 1));
}

Result<Secret> secret_from_base64(View text) {
    Secret out(text.size());
    const std::ptrdiff_t size = decode(text, out.data());
    if (size < 0) return Error{Errc::Invalid, "not base64"};
    return Secret::copy_of(out.view().first(static_cast<std::size_t>(size)));
}

}  // namespace holdfast::vault
