#include "replicator/http/token.h"

#include "vault/base/assert.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>

namespace holdfast::replicator {

std::string make_token() {
    std::array<std::uint8_t, 32> bits{};
    HF_ASSERT(RAND_bytes(bits.data(), static_cast<int>(bits.size())) == 1);
    return to_hex(bits);
}

Digest token_hash(std::string_view text) {
    Digest hash;
    SHA256(as_view(text).data(), text.size(), hash.digest.data());
    return hash;
}

bool same_token(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace holdfast::replicator
