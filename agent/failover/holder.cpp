#include "agent/failover/holder.h"

#include "agent/json/json.h"
#include "vault/crypto/hash.h"

namespace holdfast::agent {
namespace {

constexpr std::string_view holder_type = "holder";
constexpr std::string_view attestation_type = "attestation";

template <class SomeId>
Result<SomeId> id_in(const Json& body, const char* field) {
    auto id = SomeId::from_text(text_in(body, field));
    if (id) return *id;
    return Error{Errc::Corrupt, std::string("a record's ") + field + " is no id"};
}

}  // namespace

vault::Record holder_record(const Holder& holder) {
    const Json body{{"owner", holder.owner.hex()}, {"system", holder.system},
                    {"term", holder.term},         {"host", holder.host.hex()},
                    {"node", holder.node},         {"run", holder.run},
                    {"snapshot", holder.snapshot}, {"snapshot_ms", holder.snapshot_ms},
                    {"plan", holder.plan},         {"previous", holder.previous.hex()}};
    return {std::string(holder_type), Digest{}, holder.term, dump(body), {}};
}

Result<Holder> parse_holder(const vault::Record& record) {
    HF_TRY(vault::expect(record, holder_type, Digest{}));
    const Json body = HF_TRY(parse_object(record.body, "a holder record"));
    Holder holder;
    holder.owner = HF_TRY(id_in<TrustId>(body, "owner"));
    holder.system = text_in(body, "system");
    holder.term = static_cast<std::uint64_t>(number_in(body, "term"));
    holder.host = HF_TRY(id_in<TrustId>(body, "host"));
    holder.node = text_in(body, "node");
    holder.run = text_in(body, "run");
    holder.snapshot = text_in(body, "snapshot");
    holder.snapshot_ms = number_in(body, "snapshot_ms");
    holder.plan = text_in(body, "plan");
    holder.previous = HF_TRY(id_in<Digest>(body, "previous"));
    if (holder.term == 0 || holder.term != record.number || holder.system.empty()) {
        return Error{Errc::Corrupt, "a holder record whose body and number disagree"};
    }
    return holder;
}

Digest holder_digest(const vault::Record& record) {
    return vault::hash("holder", as_view(record.body));
}

vault::Record attestation_record(const Attestation& attestation, const TrustId& host,
                                 std::uint64_t term) {
    const Json body{{"holder", attestation.holder.hex()},
                    {"question", attestation.question},
                    {"words", attestation.words},
                    {"time", attestation.time_ms}};
    return {std::string(attestation_type), vault::addressed_to(host), term, dump(body), {}};
}

Result<Attestation> parse_attestation(const vault::Record& record, const TrustId& host) {
    HF_TRY(vault::expect(record, attestation_type, vault::addressed_to(host)));
    const Json body = HF_TRY(parse_object(record.body, "an attestation"));
    Attestation attestation;
    attestation.holder = HF_TRY(id_in<Digest>(body, "holder"));
    attestation.question = text_in(body, "question");
    attestation.words = text_in(body, "words");
    attestation.time_ms = number_in(body, "time");
    if (attestation.words.empty() || attestation.words.size() > attested_words_max) {
        return Error{Errc::Invalid, "an attestation says something, in up to 1,000 bytes"};
    }
    return attestation;
}

}  // namespace holdfast::agent
