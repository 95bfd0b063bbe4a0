// Terms: at most one holder may write a system; whoever holds an older term opens nothing.
#pragma once

#include "agent/failover/run_store.h"
#include "vault/keys/record.h"

#include <string>

namespace holdfast::agent {

/// That `term` is not older than any known here, and not another run's.
/// Errors: Denied (says who holds what), Corrupt, Io.
Result<void> may_open(RunStore& store, const TrustId& owner, const std::string& system,
                      std::uint64_t term, const std::string& run);

/// Keeps the record of a term. The same record with other signatures is the same. Errors: Conflict
/// (this term has another record here), Corrupt, Full, Io.
Result<void> keep_holder(RunStore& store, std::int64_t run, const vault::Record& record);

/// Takes in a holder record that came from elsewhere: a partner ran the system meanwhile.
/// The caller has checked that two persons of the owner's signed it.
/// Errors: Conflict (two live copies: this term has another holder here), Corrupt, Io.
Result<void> learn_holder(RunStore& store, View record);

/// "term 2, at node camberwick-1, since snapshot 3fa1…"; empty if nobody ever held it.
Result<std::string> holder_text(RunStore& store, const TrustId& owner, const std::string& system);

}  // namespace holdfast::agent
