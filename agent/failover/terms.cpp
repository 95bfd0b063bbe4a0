#include "agent/failover/terms.h"

#include "agent/failover/holder.h"
#include "vault/base/clock.h"

namespace holdfast::agent {

Result<void> may_open(RunStore& store, const TrustId& owner, const std::string& system,
                      std::uint64_t term, const std::string& run) {
    const auto newest = HF_TRY(store.newest_holder(owner, system));
    if (!newest || newest->term < term) return {};
    const Holder holder = HF_TRY(parse_holder(HF_TRY(vault::parse_record(newest->record))));
    if (holder.term == term && holder.run == run) return {};
    return Error{Errc::Denied, system + " is held by " + holder.node + " under term " +
                                   std::to_string(holder.term) + "; term " + std::to_string(term) +
                                   " must not be opened"};
}

Result<void> learn_holder(RunStore& store, View bytes) {
    const Holder holder = HF_TRY(parse_holder(HF_TRY(vault::parse_record(bytes))));
    return store.add_holder(holder.owner, holder.system,
                            {holder.term, 0, Buffer(bytes.begin(), bytes.end())});
}

Result<std::string> holder_text(RunStore& store, const TrustId& owner, const std::string& system) {
    const auto newest = HF_TRY(store.newest_holder(owner, system));
    if (!newest) return std::string();
    const Holder holder = HF_TRY(parse_holder(HF_TRY(vault::parse_record(newest->record))));
    return "term " + std::to_string(holder.term) + ", held by " + holder.node +
           ", from a copy of " + format_time(holder.snapshot_ms);
}

}  // namespace holdfast::agent
