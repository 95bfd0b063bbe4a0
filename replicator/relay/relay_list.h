// Relay list: which local addresses lead to systems that partners run.
//
//     HOME/state/relays.json
//     {"relays": [{"listen": "ADDRESS:PORT", "partner": TRUST, "system", "endpoint"}]}
//
// The agent replaces it whole; the replicator looks for changes.
#pragma once

#include "replicator/loop/tcp.h"
#include "vault/base/units.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t relays_max = 64;
constexpr std::size_t relays_bytes_max = 64_KiB;
constexpr std::size_t system_name_bytes_max = 40;  // Names of systems and endpoints.

struct Relay {
    std::string listen;
    TrustId partner;
    std::string system;
    std::string endpoint;
    friend auto operator<=>(const Relay&, const Relay&) = default;
};

/// [a-z0-9-]{1,40}: what cannot be in such a name cannot be in a path either.
bool is_system_name(std::string_view text);

std::string relays_text(const std::vector<Relay>& relays);
/// Errors: Corrupt (what, and what is expected), Invalid (an address, a name, or one address
/// twice).
Result<std::vector<Relay>> parse_relays(std::string_view text);

}  // namespace holdfast::replicator
