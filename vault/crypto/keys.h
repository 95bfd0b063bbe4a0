// Key pairs: Ed25519 for signatures, X25519 for wrapping secrets, and passwords that lock files.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/random.h"
#include "vault/crypto/secret.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast::vault {

using Signature = std::array<std::uint8_t, 64>;

/// An Ed25519 pair. The secret is the 32-byte seed.
struct SigningKey {
    Secret seed;
    PublicKey public_key;

    static SigningKey from_seed(Secret seed);
    static SigningKey make(Random& random);
    Signature sign(View message) const;
};

bool signature_holds(const PublicKey& signer, View message, const Signature& signature);

/// An X25519 pair.
struct BoxKey {
    Secret secret;
    PublicKey public_key;

    static BoxKey from_secret(Secret secret);
    static BoxKey make(Random& random);
};

/// wrap(tag, context, secret) of docs/vault-format.md, 1: only the recipient can open it, and only
/// as what it was wrapped for.
Buffer wrap(std::string_view tag, View context, View secret, const PublicKey& recipient);

/// Errors: Corrupt (not for this key, damaged, or wrapped as something else).
Result<Secret> unwrap(std::string_view tag, View context, View wrapped, const BoxKey& recipient);

/// Argon2id13 parameters, as stored beside what they lock.
struct PasswordCost {
    std::uint64_t operations = 3;
    std::uint64_t memory_bytes = 256 << 20;
    std::array<std::uint8_t, 16> salt{};
};

constexpr std::uint64_t password_operations_max = 20;
constexpr std::uint64_t password_memory_max = 4_GiB;

/// The key that `passphrase` and `cost` give. Takes about a second, on purpose.
/// Errors: Invalid (cost out of bounds), Full (the memory is not to be had).
Result<Secret> password_key(const Secret& passphrase, const PasswordCost& cost);

/// XChaCha20-Poly1305 with a 24-byte nonce: kits and key files.
Buffer lock(const Secret& key, View nonce, View additional, View plain);

/// Errors: Denied (wrong passphrase, or the file was altered).
Result<Secret> unlock(const Secret& key, View nonce, View additional, View locked);

}  // namespace holdfast::vault
