#include "replicator/witness/holder.h"

#include "vault/crypto/hash.h"
#include "vault/keys/json_fields.h"

namespace holdfast::replicator {
namespace {

constexpr std::string_view holder_type = "holder";

}  // namespace

vault::Record holder_record(const Holder& holder) {
    return {std::string(holder_type),
            Digest{},
            holder.term,
            json_text({{"owner", holder.owner.hex()},
                       {"system", holder.system},
                       {"term", holder.term},
                       {"host", holder.host.hex()},
                       {"node", holder.node},
                       {"run", holder.run},
                       {"snapshot", holder.snapshot},
                       {"snapshot_ms", holder.snapshot_ms},
                       {"plan", holder.plan},
                       {"previous", holder.previous.hex()}}),
            {}};
}

Result<Holder> parse_holder(const vault::Record& record) {
    HF_TRY(vault::expect(record, holder_type, Digest{}));
    auto body = HF_TRY(vault::JsonText::parse(record.body, "holder record"));
    vault::Fields in = body.top();
    Holder holder;
    holder.owner = in.id<TrustId>("owner");
    holder.system = in.text("system");
    holder.term = in.number("term", term_max);
    holder.host = in.id<TrustId>("host");
    holder.node = in.text("node");
    holder.run = in.text("run");
    holder.snapshot = in.text("snapshot");
    holder.snapshot_ms = in.time("snapshot_ms");
    holder.plan = in.text("plan");
    holder.previous = in.id<Digest>("previous");
    HF_TRY(body.check());
    if (holder.term == 0 || holder.term != record.number || holder.system.empty()) {
        return Error{Errc::Corrupt, "a holder record whose body and number disagree"};
    }
    return holder;
}

Digest holder_digest(const vault::Record& record) {
    return vault::hash("holder", as_view(record.body));
}

Result<void> check_host_signed(const vault::Record& record, const Holder& holder,
                               const vault::Roster& host) {
    const vault::RosterNode* node = host.node_by_name(holder.node);
    if (host.trust == holder.host && node != nullptr && node->state == vault::NodeState::Active &&
        vault::signed_by(record, node->ledger_key)) {
        return {};
    }
    return Error{Errc::Denied,
                 "node " + holder.node + " of " + host.name + " has not signed this holder record"};
}

}  // namespace holdfast::replicator
