// Ledger bodies: what an entry says, clear or sealed to the trust (docs/vault-format.md, 11).
#pragma once

#include "vault/crypto/random.h"
#include "vault/keys/epoch.h"
#include "vault/keys/segment.h"
#include "vault/ledger/entry.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::vault {

/// A body's first byte.
enum class BodyForm : std::uint8_t { Clear = 0, Sealed = 1, Carry = 2 };

/// Nothing if the body is empty, or of a form that this version does not know.
std::optional<BodyForm> body_form(const LedgerEntry& entry);

/// A body that everyone may read.
Buffer clear_body(std::string_view json);

/// A body sealed with the map key of `epoch`, for entry `number` of `chain` and no other.
Buffer seal_body(std::string_view json, const Epoch& epoch, const ChainId& chain,
                 std::uint64_t number, Random& random);

/// The JSON of an entry's body, which is no part of a carry. Errors: Corrupt, NotFound (its epoch
/// is unknown), Locked.
Result<std::string> open_body(const LedgerEntry& entry, const KeySource& keys);

/// The epoch that a body is sealed under; zeros if it is clear.
EpochId body_epoch(const LedgerEntry& entry);

}  // namespace holdfast::vault
