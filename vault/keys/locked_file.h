// Locked files: secrets of people under a passphrase; and the files that hold one such key each
// (a node's own secrets are in key_file.h).
//
// Key := Argon2id13(passphrase without its newline); the secrets are XChaCha20-Poly1305 under it.
// A kit (kit.h) and a locked key share this form; they differ in what is beside it in clear.
#pragma once

#include "vault/crypto/keys.h"

#include <array>
#include <string>
#include <string_view>

namespace holdfast::vault {

constexpr std::size_t locked_bytes_max = 4096;
constexpr std::size_t locked_key_bytes_max = 16_KiB;

struct PasswordLock {
    PasswordCost cost;
    std::array<std::uint8_t, 24> nonce{};
    Buffer sealed;
};

/// Five groups of five letters and digits, 125 random bits, with none that are mistaken for one
/// another when read out: "7k2mq-…".
Secret make_passphrase(Random& random);

/// Locks `plain`; salt and nonce are drawn. Errors: Invalid, Full (see password_key).
Result<PasswordLock> lock_with(const Secret& passphrase, PasswordCost cost, View additional,
                               View plain, Random& random);

/// If `passphrase` does not open it as typed, it is tried once more as make_passphrase() would
/// have written it: upper case, spaces for dashes, O for 0, I and L for 1.
/// Errors: Denied (wrong passphrase, or altered), Invalid, Full.
Result<Secret> unlock_with(const Secret& passphrase, const PasswordLock& lock, View additional);

/// What a locked key is for.
enum class KeyUse : std::uint8_t {
    Person,    // Ed25519: signs approvals.
    Custodian  // X25519: opens shares.
};

struct LockedKey {
    KeyUse use = KeyUse::Person;
    std::string name;
    PublicKey key;
    std::int64_t time = 0;
    PasswordLock lock;
};

/// The file's JSON: `holdfast` "person key 1" or "custodian key 1", `name`, `time`, `key`, `kdf`,
/// `nonce`, `sealed` over {"secret"}.
std::string locked_key_text(const LockedKey& file);

/// Errors: Corrupt (not a key file for this use).
Result<LockedKey> parse_locked_key(std::string_view text, KeyUse use);

/// Errors: Invalid, Full.
Result<LockedKey> lock_person_key(const SigningKey& key, const std::string& name,
                                  std::int64_t now_ms, const Secret& passphrase,
                                  const PasswordCost& cost, Random& random);
Result<LockedKey> lock_custodian_key(const BoxKey& key, const std::string& name,
                                     std::int64_t now_ms, const Secret& passphrase,
                                     const PasswordCost& cost, Random& random);

/// Errors: Denied (wrong passphrase, or altered), Invalid, Full, Corrupt.
Result<SigningKey> open_person_key(const LockedKey& file, const Secret& passphrase);
Result<BoxKey> open_custodian_key(const LockedKey& file, const Secret& passphrase);

}  // namespace holdfast::vault
