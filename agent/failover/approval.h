// Approval: what people must sign for a failover, and what they have signed.
#pragma once

#include "agent/config/system_settings.h"
#include "agent/failover/step.h"
#include "agent/people/people_book.h"
#include "vault/keys/record.h"

#include <optional>
#include <vector>

namespace holdfast::agent {

/// The persons who may order runs of the system's owner, as this node knows them. Errors: as
/// PeopleBook::load(), NotFound (the owner is no trust known here).
Result<PeopleBook> people_of(const Home& home, const TrustId& owner);

/// The holder record with the signatures it has so far. Errors: Conflict (the run has not proven
/// its copy yet, or is a drill), Corrupt, Io.
Result<vault::Record> order_of(RunStore& store, const Run& run);

/// What two people attest: the plan's question about the old side, and, if another place holds the
/// system now, whether that has stopped: what was written there is not in this copy.
/// Errors: Corrupt, Io.
Result<std::string> fence_question(RunStore& store, const Run& run, const SystemSettings& plan);

/// Makes the order once; the term is the next after all that this node and the witnesses that
/// answer know of. Errors: Io.
Result<void> make_order(StepContext& context);

/// Adds one person's signature, and their attestation if it comes along.
/// Errors: Denied (unknown, may not, or not just this order), Conflict (this person signed before:
/// another one must), Invalid.
Result<void> add_approval(const Home& home, RunStore& store, const Run& run, View signed_order,
                          const std::optional<Buffer>& attestation, std::int64_t now_ms);

/// Who signed so far, with their attestations. Errors: as people_of().
Result<std::vector<Signatory>> signatories(const Home& home, RunStore& store, const Run& run);

/// A holder record from another node: two persons of the owner's must have signed it. Errors:
/// Denied, Corrupt, and those of learn_holder().
Result<void> take_holder(const Home& home, RunStore& store, View record, std::int64_t now_ms);

}  // namespace holdfast::agent
