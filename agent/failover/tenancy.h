// Tenancy: what this node, as a host, needs of a partner's papers to run a system for them.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run.h"
#include "vault/keys/envelope.h"
#include "vault/keys/roster.h"

#include <string>
#include <vector>

namespace holdfast::agent {

class RunStore;

/// The folder of the partner's objects here: a vault.
std::string tenancy_vault(const Home& home, const TrustId& owner);
/// The folder of the partner's papers here: persons' certificates, envelopes, custody records.
std::string papers_folder(const Home& home, const TrustId& owner);

struct OpenedDomain {
    DomainId domain;
    vault::BoxKey opening;
};

/// Opens the envelope of the run's system with the shares that people brought to the run.
/// Errors: NotFound (no envelope of this system), Locked (shares are wanting: says how many).
Result<OpenedDomain> open_for_run(const Home& home, const Run& run, RunStore& runs,
                                  const vault::Roster& owner);

/// The newest envelope of a system among the papers. Errors: NotFound, Io.
Result<vault::SystemEnvelope> find_envelope(const Home& home, const TrustId& owner,
                                            const std::string& system, const vault::Roster& roster);

}  // namespace holdfast::agent
