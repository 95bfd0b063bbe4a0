// Terms: at most one holder may write a system; whoever holds an older term opens nothing.
#pragma once

#include "agent/failover/run_store.h"

#include <string>

namespace holdfast::agent {

/// That `term` is not older than any known here, and not another run's.
/// Errors: Denied (says who holds what), Corrupt, Io.
Result<void> may_open(RunStore& store, const TrustId& owner, const std::string& system,
                      std::uint64_t term, const std::string& run);

/// Takes in a holder record that came from elsewhere: a partner ran the system meanwhile.
/// The caller has checked that two persons of the owner's signed it.
/// Errors: Conflict (two live copies: this term has another holder here), Corrupt, Io.
Result<void> learn_holder(RunStore& store, View record);

/// "term 2, at node camberwick-1, since snapshot 3fa1…"; empty if nobody ever held it.
Result<std::string> holder_text(RunStore& store, const TrustId& owner, const std::string& system);

}  // namespace holdfast::agent
