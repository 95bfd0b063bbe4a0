#include "vault/crypto/secret.h"

#include "vault/base/assert.h"
#include "vault/crypto/secret_memory.h"

#include <sodium.h>

#include <cstring>

namespace holdfast::vault {

void crypto_ready() {
    static const bool ready = sodium_init() >= 0;
    HF_ASSERT(ready);
}

void secure_free(std::uint8_t* memory) noexcept {
    release_secret(memory);
}

Secret::Secret(std::size_t size) : size_(size) {
    crypto_ready();
    memory_.reset(allocate_secret(size));
    HF_ASSERT(memory_ != nullptr);  // RLIMIT_MEMLOCK is a matter of the unit file, not of a caller.
}

Secret Secret::copy_of(View bytes) {
    Secret out(bytes.size());
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
}

Secret Secret::random(std::size_t size) {
    Secret out(size);
    randombytes_buf(out.data(), size);
    return out;
}

}  // namespace holdfast::vault
