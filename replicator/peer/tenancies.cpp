#include "replicator/peer/tenancies.h"

#include "replicator/tenancy/refusal.h"

#include <cstdio>

namespace holdfast::replicator {
namespace {

void report(const Result<void>& done) {
    if (!done) std::fprintf(stderr, "holdfast-replicator: %s\n", done.error().message.c_str());
}

}  // namespace

Result<Strand<Tenancy>*> Tenancies::of(const Partner& owner) {
    const auto found = strands_.find(owner.trust);
    if (found != strands_.end()) {
        if (found->second->full()) {
            return refuse(Refusal::Busy, "too much is waiting for this tenancy: try again later");
        }
        return found->second.get();
    }
    auto witnessed = HF_TRY(promises_->heads(owner.trust));
    auto strand = std::make_unique<Strand<Tenancy>>(
        *pool_, std::make_unique<Tenancy>(folder_of(owner.trust), owner.trust, host_, *clock_));
    strand->run([rosters = owner.rosters, witnessed = std::move(witnessed)](
                    Tenancy& tenancy) { return tenancy.load(rosters, witnessed); },
                [](const Result<void>& loaded) { report(loaded); });
    return strands_.emplace(owner.trust, std::move(strand)).first->second.get();
}

void Tenancies::take_rosters(const Partner& owner) {
    const auto found = strands_.find(owner.trust);
    if (found == strands_.end()) return;
    found->second->run(
        [rosters = owner.rosters](Tenancy& tenancy) { return tenancy.take_rosters(rosters); },
        [](const Result<void>& taken) { report(taken); });
}

}  // namespace holdfast::replicator
