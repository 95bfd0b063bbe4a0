// Older terms: once a system was opened elsewhere, what its old sources hold is an abandoned
// branch. A snapshot of it would stand on top of the chain as the newest, and be chosen.
//
// So the settings say which term their sources hold (`term`, 0 if the system never moved), and a
// snapshot under an older term than the newest known is refused before anything is read. If the old
// database answers all the same, two copies live; that is kept, and shown until the settings name
// the newer term or the old side is silent.
#pragma once

#include "agent/config/home.h"
#include "agent/config/system_settings.h"
#include "agent/failover/run_store.h"
#include "vault/base/clock.h"

#include <string>

namespace holdfast::agent {

/// By this node's records and what the witnesses that answer know.
/// Errors: Denied (an older term: who holds the system since when), Corrupt, Full, Io.
Result<void> check_term(const Home& home, const SystemSettings& system, const Clock& clock);

/// "two live copies: …", for people; empty if nothing is known of that.
Result<std::string> live_copies_text(RunStore& store, const TrustId& own,
                                     const SystemSettings& system);

}  // namespace holdfast::agent
