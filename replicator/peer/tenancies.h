// Tenancies: one strand for each partner that keeps something here, made when first needed.
//
// Thread rule: the loop thread. The pool must go first (see strand.h).
#pragma once

#include "replicator/state/partners.h"
#include "replicator/state/promises.h"
#include "replicator/tenancy/strand.h"
#include "replicator/tenancy/tenancy.h"

#include <map>
#include <memory>
#include <string>

namespace holdfast::replicator {

class Tenancies {
public:
    /// All outlive it but the pool. `folder` holds one folder for each owner.
    Tenancies(WorkerPool& pool, Promises& promises, std::string folder, const TrustId& host,
              const Clock& clock)
        : pool_(&pool),
          promises_(&promises),
          folder_(std::move(folder)),
          host_(host),
          clock_(&clock) {}

    std::string folder_of(const TrustId& owner) const { return folder_ + "/" + owner.hex(); }

    /// The tenancy of `owner`; its reading is the strand's first job. A tenancy that could not be
    /// read answers every job with the reason. Errors: Refusal::Busy, Io.
    Result<Strand<Tenancy>*> of(const Partner& owner);

    /// Tells a tenancy that is in use about newer rosters.
    void take_rosters(const Partner& owner);

private:
    WorkerPool* pool_;
    Promises* promises_;
    std::string folder_;
    TrustId host_;
    const Clock* clock_;
    std::map<TrustId, std::unique_ptr<Strand<Tenancy>>> strands_;
};

}  // namespace holdfast::replicator
