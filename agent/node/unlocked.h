// Unlocked: opening keys of locked domains, for a while, in the kernel's memory.
//
// They lie in the user keyring (keyrings(7)) as "holdfast:TRUST:DOMAIN": never on a disk, readable
// by processes of this user alone, and gone when their time is over or the machine restarts. Every
// opening of a vault looks there; so an unlock serves restore, mount, verify and the agent alike,
// and no process has to be asked for a secret.
#pragma once

#include "vault/crypto/keys.h"
#include "vault/lazy_keys.h"
#include "vault/vault.h"

#include <cstdint>
#include <map>

namespace holdfast::agent {

constexpr std::uint32_t unlock_seconds_max = 24 * 3600;

/// Replaces what is there. Errors: Denied (the kernel gives this process no keyring, as in some
/// containers), Invalid (the time), Full, Io.
Result<void> unlock_domain(const TrustId& trust, const DomainId& domain,
                           const vault::BoxKey& opening, std::uint32_t seconds);

/// Ends an unlock early; one that is over is no error. Errors: Denied, Io.
Result<void> lock_domain(const TrustId& trust, const DomainId& domain);

/// Gives `keys` what is unlocked among `domains`. A kernel without keyrings has nothing.
void add_unlocked(const TrustId& trust, const std::map<DomainId, vault::OwnDomain>& domains,
                  vault::LazyKeys& keys);

}  // namespace holdfast::agent
