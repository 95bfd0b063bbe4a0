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

Result<void> keep_holder(RunStore& store, std::int64_t run, const vault::Record& record) {
    const Holder holder = HF_TRY(parse_holder(record));
    const auto known = HF_TRY(store.holder_at(holder.owner, holder.system, holder.term));
    if (known &&
        holder_digest(HF_TRY(vault::parse_record(known->record))) == holder_digest(record)) {
        return {};
    }
    return store.add_holder(holder.owner, holder.system, {holder.term, run, vault::encode(record)});
}

Result<void> learn_holder(RunStore& store, View bytes) {
    return keep_holder(store, 0, HF_TRY(vault::parse_record(bytes)));
}

Result<std::string> holder_text(RunStore& store, const TrustId& owner, const std::string& system) {
    const auto newest = HF_TRY(store.newest_holder(owner, system));
    if (!newest) return std::string();
    const Holder holder = HF_TRY(parse_holder(HF_TRY(vault::parse_record(newest->record))));
    return "term " + std::to_string(holder.term) + ", held by " + holder.node +
           ", from a copy of " + format_time(holder.snapshot_ms);
}

}  // namespace holdfast::agent
