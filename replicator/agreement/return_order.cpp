#include "replicator/agreement/return_order.h"

#include "vault/keys/json_fields.h"

#include <algorithm>

namespace holdfast::replicator {
namespace {

constexpr std::string_view return_type = "return";

struct Facts {
    vault::Record record;
    TrustId trust;
    KeyHash tls_key;
};

Result<Facts> parse(View object) {
    Facts facts;
    facts.record = HF_TRY(vault::parse_record(object));
    auto body = HF_TRY(vault::JsonText::parse(facts.record.body, "return order"));
    facts.trust = body.top().id<TrustId>("trust");
    facts.tls_key = body.top().id<KeyHash>("tls_key");
    HF_TRY(body.check());
    return facts;
}

bool signed_for(const vault::Record& record, const vault::Roster& roster) {
    return std::ranges::any_of(record.signatures, [&](const vault::RecordSignature& one) {
        const bool ours = one.signer == roster.trust_key ||
                          vault::trust_key_hash(one.signer) == roster.next_trust_key_hash;
        return ours && vault::signed_by(record, one.signer);
    });
}

}  // namespace

Buffer make_return_order(const TrustId& trust, const TrustId& host, const KeyHash& tls_key,
                         const vault::SigningKey& trust_key, std::int64_t now_ms) {
    vault::Record record{std::string(return_type),
                         vault::addressed_to(host),
                         static_cast<std::uint64_t>(now_ms),
                         json_text({{"trust", trust.hex()}, {"tls_key", tls_key.hex()}}),
                         {}};
    vault::sign(record, trust_key);
    return vault::encode(record);
}

Result<TrustId> return_order_trust(View object) {
    return HF_TRY(parse(object)).trust;
}

Result<void> check_return_order(View object, const vault::Roster& roster, const TrustId& host,
                                const KeyHash& tls_key, std::int64_t now_ms) {
    const Facts facts = HF_TRY(parse(object));
    HF_TRY(vault::expect(facts.record, return_type, vault::addressed_to(host)));
    const auto time_ms = static_cast<std::int64_t>(facts.record.number);
    const bool timely =
        time_ms >= now_ms - return_skew_ms_max && time_ms <= now_ms + return_skew_ms_max;
    if (facts.trust == roster.trust && facts.tls_key == tls_key && timely &&
        signed_for(facts.record, roster)) {
        return {};
    }
    return Error{Errc::Denied,
                 "a return order that does not hold: it must be signed by the trust "
                 "key, for this node's TLS key, within an hour of our clock"};
}

}  // namespace holdfast::replicator
