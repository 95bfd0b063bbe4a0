// Relays file: which local addresses lead to systems that partners run (its format:
// replicator/relay/relay_list.h). HOME/state/relays.json, since it must outlive a reboot: the users
// are still at home, and the system is still away.
#pragma once

#include "agent/config/home.h"
#include "agent/config/system_settings.h"
#include "replicator/relay/relay_list.h"

#include <string>
#include <vector>

namespace holdfast::agent {

using replicator::Relay;

/// None if there is no file. Errors: Corrupt, Io.
Result<std::vector<Relay>> load_relays(const Home& home);

/// Leads all endpoints of the system that have a relay address to `partner`, instead of wherever
/// they led. Errors: Invalid (no endpoint has one), Full, Io.
Result<std::vector<Relay>> lead_to(const Home& home, const SystemSettings& system,
                                   const TrustId& partner);
/// Errors: NotFound (it leads nowhere), Full, Io.
Result<void> lead_nowhere(const Home& home, const std::string& system);

}  // namespace holdfast::agent
