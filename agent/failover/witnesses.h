// Witnesses: asking those that an owner's agreements name, through this node's replicator.
//
// A host asks the witnesses of its agreement with the owner; an owner's own node those of all its
// agreements, and needs a majority of each. So whoever else may have taken a term was seen by at
// least one of those that answer, as long as all agreements name the same witnesses. A node that
// never ran a replicator has no partner, and so no witness.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run_store.h"
#include "replicator/witness/witness_wire.h"

#include <set>
#include <string>
#include <vector>

namespace holdfast::agent {

using replicator::NamedWitness;
using replicator::WitnessReply;
using replicator::WitnessSet;

/// All whose word counts for one owner's terms here.
struct WitnessPanel {
    std::vector<WitnessSet> sets;

    bool empty() const { return sets.empty(); }
    /// Each once.
    std::vector<NamedWitness> all() const;
    /// More than half of every set.
    bool majority(const std::set<TrustId>& said) const;
};

/// Errors: Unreachable (the replicator does not answer, so nobody knows who they are), Invalid.
Result<WitnessPanel> witnesses_of(const Home& home, const TrustId& owner);

struct WitnessAnswer {
    NamedWitness witness;
    Result<WitnessReply> reply;
};
/// Brings a holder record to all of them at once.
std::vector<WitnessAnswer> ask_witnesses(const Home& home, const WitnessPanel& panel, View holder);

/// What came of asking for the newest term.
struct WitnessNews {
    std::size_t asked = 0;
    std::size_t answered = 0;
    bool majority = false;            // Also if there was nobody to ask.
    std::vector<std::string> alarms;  // Two records of one term, or one that does not hold.
    std::vector<std::string> silent;  // "Chigley: why".
    std::uint64_t newest_term = 0;    // Known here now, from anywhere; 0: none.
};

/// Asks all witnesses for the newest holder of a system and takes in what holds. What contradicts
/// this node's own records is kept beside them. Errors: Unreachable (see witnesses_of()), Full, Io.
Result<WitnessNews> learn_terms(const Home& home, RunStore& store, const TrustId& owner,
                                const std::string& system, std::int64_t now_ms);

/// "Chigley", or the beginning of its id.
std::string name_of(const NamedWitness& witness);

}  // namespace holdfast::agent
