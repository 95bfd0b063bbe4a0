// Relays file: which local addresses lead to systems that partners run, for the replicator, which
// listens there and carries each connection through the pinned link.
//
//     HOME/run/relays.json
//     {"relays": [{"listen": "ADDRESS:PORT", "partner": TRUST, "system", "endpoint"}]}
//
// It is replaced whole; the replicator watches it.
#pragma once

#include "agent/config/home.h"
#include "agent/config/system_settings.h"
#include "vault/base/units.h"

#include <string>
#include <vector>

namespace holdfast::agent {

struct Relay {
    std::string listen;
    TrustId partner;
    std::string system;
    std::string endpoint;
    friend bool operator==(const Relay&, const Relay&) = default;
};

/// None if there is no file. Errors: Corrupt, Io.
Result<std::vector<Relay>> load_relays(const Home& home);

/// Leads all endpoints of the system that have a relay address to `partner`, instead of wherever
/// they led. Errors: Invalid (no endpoint has one), Full, Io.
Result<std::vector<Relay>> lead_to(const Home& home, const SystemSettings& system,
                                   const TrustId& partner);
/// Errors: NotFound (it leads nowhere), Full, Io.
Result<void> lead_nowhere(const Home& home, const std::string& system);

}  // namespace holdfast::agent
