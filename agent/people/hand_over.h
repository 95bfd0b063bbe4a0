// Hand-over of the trust key: the key that the roster promised takes over, and promises the next.
// For when a kit was lost or seen, or who kept it leaves.
//
// The old kit signs nothing of the trust's from then on: no roster, no recovery, no custody. The
// recovery secret stays the same, so the old kit still opens content: it must be destroyed.
#pragma once

#include "agent/node/kit_file.h"
#include "agent/node/node.h"

#include <optional>
#include <string>

namespace holdfast::agent {

struct HandOver {
    KitFiles files;
    std::uint64_t roster = 0;              // Its number.
    std::optional<std::uint64_t> custody;  // The record that was made anew; none: there was none.
};

/// Writes a new kit into `out`, then the roster that makes it the valid one, then the custody
/// record anew for the custodians of now. Killed in between: a kit that no roster names is
/// worthless, and the old one still does it; a custody record that is missing is made by `recovery
/// custody`. `passphrase`: of the new kit; none: one is generated. Errors: Denied (the kit is
/// another trust's, or not the newest), Conflict (a kit is in `out`), Invalid (fewer custodians
/// than the threshold), Full, Io.
Result<HandOver> hand_over_trust_key(const Home& home, const vault::Kit& kit,
                                     vault::KitSecrets secrets, const std::string& out,
                                     std::optional<vault::Secret> passphrase, std::int64_t now_ms,
                                     vault::Random& random);

}  // namespace holdfast::agent
