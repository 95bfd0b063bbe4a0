// How the routes of a tenancy run: who asks, then the work on its strand, then the answer.
#pragma once

#include "replicator/peer/peer_api.h"
#include "replicator/tenancy/refusal.h"

namespace holdfast::replicator {

/// `work(Tenancy&)` answers a Result on a worker; `answer(value)` makes the response on the loop.
template <class Work, class Answer>
void PeerApi::on_tenancy(const HttpRequest& request, Responder respond, Work work, Answer answer) {
    const auto owner = owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    const auto strand = core_.tenancies.of(**owner);
    if (!strand) return respond.send(refusal_response(strand.error()));
    (*strand)->run(std::move(work), [respond = std::move(respond),
                                     answer = std::move(answer)](auto result) mutable {
        respond.send(result ? answer(*std::move(result)) : refusal_response(result.error()));
    });
}

}  // namespace holdfast::replicator
