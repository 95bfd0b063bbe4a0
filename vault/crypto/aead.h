// Authenticated encryption: the two ciphers of the format (docs/vault-format.md, 1 and 6).
//
// AES-256-GCM comes from OpenSSL (measured: twice libsodium's, and it still works without AES-NI);
// ChaCha20-Poly1305 from libsodium. A Sealer belongs to one worker.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/secret.h"

#include <cstdint>
#include <memory>

struct evp_cipher_ctx_st;

namespace holdfast::vault {

enum class Cipher : std::uint8_t { Aes256Gcm = 1, ChaCha20Poly1305 = 2 };

constexpr std::size_t seal_tag_bytes = 16;

/// AES-256-GCM where the processor has instructions for it, else ChaCha20-Poly1305.
Cipher fastest_cipher();

/// Errors: Corrupt (an unknown number).
Result<Cipher> cipher_from(std::uint8_t number);

/// Seals and opens with one segment key; the nonce is a message's number.
class Sealer {
public:
    Sealer(Cipher cipher, Secret key);
    Sealer(Sealer&&) noexcept;
    Sealer& operator=(Sealer&&) noexcept;
    ~Sealer();

    /// Appends ciphertext and tag to `out`. A number must never be used twice with one key.
    void seal(std::uint64_t number, View additional, View plain, Buffer& out);

    /// Appends the plaintext to `out`; leaves `out` as it was on failure.
    /// Errors: Corrupt (wrong key, or not one bit is as it was sealed).
    Result<void> open(std::uint64_t number, View additional, View sealed, Buffer& out);

private:
    struct FreeContext {
        void operator()(evp_cipher_ctx_st* context) const noexcept;
    };
    void seal_aes(View nonce, View additional, View plain, std::uint8_t* out);
    bool open_aes(View nonce, View additional, View sealed, std::uint8_t* out);

    Cipher cipher_;
    Secret key_;
    std::unique_ptr<evp_cipher_ctx_st, FreeContext> sealing_;
    std::unique_ptr<evp_cipher_ctx_st, FreeContext> opening_;
};

}  // namespace holdfast::vault
