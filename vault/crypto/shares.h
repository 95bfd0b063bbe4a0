// Shares: a 32-byte secret split among people, any `threshold` of whom can give it back
// (docs/vault-format.md, 3: Shamir's scheme over GF(2⁸), by libgfshare).
//
// A share says nothing by itself, nor do threshold - 1 of them. Nor does combining notice a wrong
// one: keys/custody.h knows which share is wrong.
#pragma once

#include "vault/crypto/secret.h"

#include <cstdint>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t share_bytes = 32;
constexpr std::size_t shares_max = 32;
constexpr std::size_t share_threshold_min = 2;

/// The polynomial's value at `number`, for each byte of the secret.
struct Share {
    std::uint8_t number = 0;  // 1 to 255.
    Secret bytes;
};

/// Shares number 1 to `count` of a secret of 32 bytes.
/// Errors: Invalid (not 2 ≤ threshold ≤ count ≤ 32).
Result<std::vector<Share>> split_secret(const Secret& secret, std::size_t count,
                                        std::size_t threshold);

/// The secret, if these are at least as many as the threshold and all right; else any 32 bytes.
/// Errors: Invalid (none, number 0 or twice, or not 32 bytes).
Result<Secret> combine_shares(const std::vector<Share>& shares);

}  // namespace holdfast::vault
