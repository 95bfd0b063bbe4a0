// WitnessCalls: routes of the control socket by which the agent asks witnesses, this node's own
// included.
//
//     GET  /witnesses/{owner}                               who must witness terms of that owner
//     here POST /witnesses/{witness}/holders                     a holder record; the witness's
//     answer GET  /witnesses/{witness}/holders/{owner}/{system}    the newest that it knows
//
// An owner's own node asks the witnesses of all its agreements, a host those of the agreement that
// lets it run the system. An agreement that has ended still names its witnesses, until the next
// one. Thread rule: the loop thread.
#pragma once

#include "replicator/peer/introduction.h"
#include "replicator/witness/witness_wire.h"

namespace holdfast::replicator {

class WitnessCalls {
public:
    /// `calls` runs blocking calls; it must go before this.
    WitnessCalls(const Core& core, Witness& witness, WorkerPool& calls)
        : core_(core), witness_(&witness), calls_(&calls) {}

    void add_routes(Router& router);

private:
    Result<std::vector<WitnessSet>> sets_of(const TrustId& owner) const;
    Result<WitnessSet> set_of(const Agreement& terms) const;
    Result<Introduction> to(const TrustId& witness) const;
    void ask(const HttpRequest& request, Responder respond);
    void ask_partner(const TrustId& witness, Buffer object, Responder respond);
    void newest(const HttpRequest& request, Responder respond);

    Core core_;
    Witness* witness_;
    WorkerPool* calls_;
};

}  // namespace holdfast::replicator
