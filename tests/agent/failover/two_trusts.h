// Two trusts: an owner's node and a host's, and what a replicator would have brought between them.
#pragma once

#include "tests/agent/failover/failover_home.h"

namespace holdfast::test {

agent::Node opened(const agent::Home& home);

/// The owner's vault and papers as the host keeps them; brings again what is newer.
void bring(const FailoverHome& owner, const FailoverHome& host);

/// The runtime file of the owner's letters; a host has its own.
void lend_runtime(const FailoverHome& owner, FailoverHome& host);

}  // namespace holdfast::test
