// Fingerprint: BLAKE2b-256 over a stream of bytes. The demo's one include of libsodium.
#pragma once

#include "vault/base/units.h"

#include <sodium.h>

namespace holdfast::demo {

class Fingerprint {
public:
    Fingerprint() {
        // Chooses the implementation that suits the processor, once.
        static const int ready = sodium_init();
        HF_ASSERT(ready >= 0);
        crypto_generichash_init(&state_, nullptr, 0, 32);
    }
    void add(View bytes) { crypto_generichash_update(&state_, bytes.data(), bytes.size()); }
    void add(std::string_view text) { add(as_view(text)); }
    Digest done() {
        Digest digest;
        crypto_generichash_final(&state_, digest.digest.data(), digest.digest.size());
        return digest;
    }

private:
    crypto_generichash_state state_;
};

inline Digest fingerprint_of(View bytes) {
    Fingerprint hash;
    hash.add(bytes);
    return hash.done();
}

}  // namespace holdfast::demo
