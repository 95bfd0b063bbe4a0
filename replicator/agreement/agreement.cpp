#include "replicator/agreement/agreement.h"

#include "vault/keys/json_fields.h"

#include <algorithm>

namespace holdfast::replicator {
namespace {

using vault::Fields;
using vault::Record;

constexpr std::string_view agreement_type = "agreement";

Result<void> check_witnesses(const Agreement& terms) {
    if (terms.witnesses.size() > agreement_witnesses_max) {
        return Error{Errc::Invalid, "an agreement names up to " +
                                        std::to_string(agreement_witnesses_max) + " witnesses"};
    }
    std::vector<TrustId> sorted = terms.witnesses;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) {
        return Error{Errc::Invalid, "an agreement names each witness once"};
    }
    if (!std::ranges::binary_search(sorted, terms.owner)) return {};
    return Error{Errc::Invalid, "the owner is no witness of its own terms: name a partner"};
}

Result<void> check(const Agreement& terms) {
    const auto wrong = [](const char* what) { return Error{Errc::Invalid, what}; };
    if (terms.number == 0) return wrong("an agreement's number starts at 1");
    if (terms.owner == terms.host) return wrong("owner and host of an agreement are two trusts");
    if (terms.quota_bytes == 0) return wrong("an agreement needs a quota");
    if (terms.valid_to <= terms.valid_from) return wrong("an agreement must end after it begins");
    if (terms.longest_hold_days < terms.minimum_hold_days) {
        return wrong("the longest hold of an agreement is shorter than its minimum hold");
    }
    return check_witnesses(terms);
}

std::vector<std::string> texts_of(const std::vector<TrustId>& trusts) {
    std::vector<std::string> out;
    for (const TrustId& one : trusts) out.push_back(one.hex());
    return out;
}

std::vector<TrustId> read_witnesses(Fields& in) {
    std::vector<TrustId> out;
    for (const std::string& text : in.texts("witnesses", agreement_witnesses_max)) {
        const auto id = TrustId::from_text(text);
        if (!id) in.fail("witnesses", id.error().message);
        if (id) out.push_back(*id);
    }
    return out;
}

Agreement read_body(Fields in) {
    Agreement terms;
    terms.owner = in.id<TrustId>("owner");
    terms.host = in.id<TrustId>("host");
    terms.quota_bytes = in.number("quota_bytes");
    terms.objects_max = in.number("objects_max");
    terms.new_bytes_a_day = in.number("new_bytes_a_day");
    terms.minimum_hold_days = in.number("minimum_hold_days", agreement_days_max);
    terms.longest_hold_days = in.number("longest_hold_days", agreement_days_max);
    terms.grace_days = in.number("grace_days", agreement_days_max);
    terms.notice_days = in.number("notice_days", agreement_days_max);
    terms.may_run = in.texts("may_run", agreement_texts_max);
    terms.contacts = in.texts("contacts", agreement_texts_max);
    terms.witnesses = read_witnesses(in);
    terms.valid_from = in.time("valid_from");
    terms.valid_to = in.time("valid_to");
    return terms;
}

std::string body_of(const Agreement& terms) {
    return json_text({{"owner", terms.owner.hex()},
                      {"host", terms.host.hex()},
                      {"quota_bytes", terms.quota_bytes},
                      {"objects_max", terms.objects_max},
                      {"new_bytes_a_day", terms.new_bytes_a_day},
                      {"minimum_hold_days", terms.minimum_hold_days},
                      {"longest_hold_days", terms.longest_hold_days},
                      {"grace_days", terms.grace_days},
                      {"notice_days", terms.notice_days},
                      {"may_run", terms.may_run},
                      {"contacts", terms.contacts},
                      {"witnesses", texts_of(terms.witnesses)},
                      {"valid_from", terms.valid_from},
                      {"valid_to", terms.valid_to}});
}

std::vector<PublicKey> keys_of(const vault::Roster& roster) {
    std::vector<PublicKey> keys;
    for (const vault::Officer& officer : roster.officers) keys.push_back(officer.key);
    return keys;
}

}  // namespace

bool Agreement::names_witness(const TrustId& trust) const {
    return std::ranges::find(witnesses, trust) != witnesses.end();
}

Result<Record> agreement_record(const Agreement& agreement) {
    HF_TRY(check(agreement));
    Record record{std::string(agreement_type), {}, agreement.number, body_of(agreement), {}};
    HF_TRY(parse_agreement(record));
    return record;
}

Result<Agreement> parse_agreement(const Record& record) {
    HF_TRY(vault::expect(record, agreement_type, Digest{}));
    auto body = HF_TRY(vault::JsonText::parse(record.body, "agreement"));
    Agreement terms = read_body(body.top());
    HF_TRY(body.check());
    terms.number = record.number;
    HF_TRY(check(terms));
    return terms;
}

AgreementSignatures signatures_of(const Record& record, const vault::Roster& owner,
                                  const vault::Roster& host) {
    const auto owners = vault::valid_signers(record, keys_of(owner));
    const auto hosts = vault::valid_signers(record, keys_of(host));
    const bool other = std::ranges::any_of(hosts, [&](const PublicKey& key) {
        return std::ranges::find(owners, key) == owners.end();
    });
    return {!owners.empty(), other};
}

Result<Record> merge_signatures(const Record& a, const Record& b) {
    if (a.type != b.type || a.addressee != b.addressee || a.number != b.number ||
        a.body != b.body) {
        return Error{Errc::Conflict, "another agreement has number " + std::to_string(a.number) +
                                         " already: propose with a higher one"};
    }
    Record merged = a;
    for (const vault::RecordSignature& one : b.signatures) {
        const bool again =
            std::ranges::find(merged.signatures, one.signer, &vault::RecordSignature::signer) !=
            merged.signatures.end();
        if (again || merged.signatures.size() >= vault::record_signatures_max) continue;
        merged.signatures.push_back(one);
    }
    return merged;
}

}  // namespace holdfast::replicator
