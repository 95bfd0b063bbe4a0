// Recovery kit: the file that people keep, never in the vault (docs/vault-format.md, 4).
//
// It opens with its passphrase alone and holds the trust keys and the recovery key. The partners
// are in clear, so that the sheet can be printed anew after each pairing without the passphrase;
// they only say where to ask, what a partner gives is proven by roster and names.
#pragma once

#include "vault/keys/locked_file.h"

#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t kit_bytes_max = 256_KiB;
constexpr std::size_t kit_partners_max = 256;

struct KitPartner {
    std::string name;
    std::string address;
    Digest tls_key;
    TrustId trust;

    friend bool operator==(const KitPartner&, const KitPartner&) = default;
};

struct Kit {
    TrustId trust;
    std::string name;
    std::int64_t time = 0;
    PasswordLock lock;
    std::vector<KitPartner> partners;
};

struct KitSecrets {
    SigningKey trust;
    SigningKey next_trust;
    BoxKey recovery;
};

/// Errors: Invalid (name, or cost out of bounds), Full (memory for Argon2).
Result<Kit> make_kit(const TrustId& trust, const std::string& name, std::int64_t now_ms,
                     const KitSecrets& secrets, const Secret& passphrase, const PasswordCost& cost,
                     Random& random);

/// The file's text. To update the partners: parse_kit(), change them, write kit_text().
std::string kit_text(const Kit& kit);

/// Errors: Corrupt.
Result<Kit> parse_kit(std::string_view text);

/// Errors: Denied (wrong passphrase, or altered), Invalid, Full, Corrupt.
Result<KitSecrets> open_kit(const Kit& kit, const Secret& passphrase);

}  // namespace holdfast::vault
