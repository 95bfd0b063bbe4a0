// Renewal of the recovery key: for when a kit or shares may be in wrong hands.
//
//   new kit -> everything wrapped anew, beside the old -> to the partners -> roster -> custody
//
// It comes into force with one roster, once every partner has what the new kit opens: so at each
// instant one kit opens everything, here and there. Cut off, it is run again and goes on.
#pragma once

#include "agent/node/kit_file.h"
#include "agent/node/node.h"
#include "vault/renew.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

struct RenewSettings {
    std::string out;                          // A folder for the new kit.
    std::optional<vault::Secret> passphrase;  // Of the new kit; none: one is generated.
    /// Reads the one that an earlier run generated. Not asked if `passphrase` is given.
    std::function<Result<vault::Secret>(const std::string& file)> read_passphrase;
    /// Brings all objects of the vault to the partners, and waits. Its Error ends the renewal.
    std::function<Result<void>()> bring;
};

struct RenewedRecovery {
    KitFiles files;
    std::uint64_t roster = 0;  // Its number.
    vault::Renewed renewed;
    std::optional<std::uint64_t> custody;  // The record that was made anew; none: there was none.
    /// "SYSTEM at HOST" of envelopes that open nothing any more: new papers are to be sent.
    std::vector<std::string> envelopes;
};

/// What was wrapped before stays until vault::remove_other_seals().
/// Goes on with a renewal that was cut off, and then with its kit: `kit` and `secrets` are always
/// those in force when it began. Errors: Denied (the kit is another trust's, or not the newest),
/// Conflict (a kit is in `out`; somebody writes in the vault), Corrupt (something does not open
/// with the kit: repair it first), Full, Io, and those of `bring`.
Result<RenewedRecovery> renew_recovery(const Home& home, const vault::Kit& kit,
                                       const vault::KitSecrets& secrets, RenewSettings settings,
                                       std::int64_t now_ms, vault::Random& random);

}  // namespace holdfast::agent
