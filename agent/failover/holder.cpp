#include "agent/failover/holder.h"

#include "vault/base/json.h"

namespace holdfast::agent {
namespace {

constexpr std::string_view attestation_type = "attestation";

template <class SomeId>
Result<SomeId> id_in(const Json& body, const char* field) {
    auto id = SomeId::from_text(text_in(body, field));
    if (id) return *id;
    return Error{Errc::Corrupt, std::string("a record's ") + field + " is no id"};
}

}  // namespace

vault::Record attestation_record(const Attestation& attestation, const TrustId& host,
                                 std::uint64_t term) {
    const Json body{{"holder", attestation.holder.hex()},
                    {"about", attestation.about},
                    {"question", attestation.question},
                    {"words", attestation.words},
                    {"time", attestation.time_ms}};
    return {std::string(attestation_type), vault::addressed_to(host), term, json_text(body), {}};
}

Result<Attestation> parse_attestation(const vault::Record& record, const TrustId& host) {
    HF_TRY(vault::expect(record, attestation_type, vault::addressed_to(host)));
    const Json body = HF_TRY(parse_object(record.body, "an attestation"));
    Attestation attestation;
    attestation.holder = HF_TRY(id_in<Digest>(body, "holder"));
    attestation.about = text_in(body, "about");
    attestation.question = text_in(body, "question");
    attestation.words = text_in(body, "words");
    attestation.time_ms = number_in(body, "time");
    if (attestation.words.empty() || attestation.words.size() > attested_words_max) {
        return Error{Errc::Invalid, "an attestation says something, in up to 1,000 bytes"};
    }
    if (attestation.about != about_fence && attestation.about != about_witnesses) {
        return Error{Errc::Invalid, "an attestation is about the fence, or in place of witnesses"};
    }
    return attestation;
}

}  // namespace holdfast::agent
