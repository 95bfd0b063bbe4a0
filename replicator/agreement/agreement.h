// Agreement: what an owner and a host have both signed, as a record (docs/peer-api.yaml).
//
// Numbers rise per owner and host. An agreement binds when an officer of each of both rosters, with
// different keys, has signed the same bytes; of those that have begun the highest number holds,
// while it is in date. So terms change by a higher number, and end by one that ends sooner.
//
// Witnesses are trusts, never the owner itself, each named once. An owner's agreements should all
// name the same ones: two majorities of one set always share a witness, those of two sets may not.
#pragma once

#include "vault/keys/roster.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t agreement_texts_max = 64;
constexpr std::size_t agreement_witnesses_max = 15;
constexpr std::size_t agreement_text_bytes_max = 512;
constexpr std::uint64_t agreement_days_max = 36'500;

struct Agreement {
    std::uint64_t number = 1;
    TrustId owner;
    TrustId host;
    std::uint64_t quota_bytes = 0;
    std::uint64_t objects_max = 10'000'000;
    std::uint64_t new_bytes_a_day = 0;  // 0: as much as the quota.
    std::uint64_t minimum_hold_days = 0;
    std::uint64_t longest_hold_days = 0;
    std::uint64_t grace_days = 0;
    std::uint64_t notice_days = 0;
    std::vector<std::string> may_run;   // Systems that may run at the host.
    std::vector<std::string> contacts;  // "name, phone", both sides'.
    std::vector<TrustId> witnesses;     // Who keep holder records; the host may be one.
    std::int64_t valid_from = 0;
    std::int64_t valid_to = 0;

    bool in_date(std::int64_t now_ms) const { return valid_from <= now_ms && now_ms < valid_to; }
    bool names_witness(const TrustId& trust) const;
    friend bool operator==(const Agreement&, const Agreement&) = default;
};

/// As a record to be signed: vault::sign(), then vault::encode().
/// Errors: Invalid (which term, and what is expected).
Result<vault::Record> agreement_record(const Agreement& agreement);

/// Reads the terms; who signed is signatures_of()'s to say. Errors: Corrupt, Invalid, Denied
/// (another type).
Result<Agreement> parse_agreement(const vault::Record& record);

/// Whose officers signed. One key that is an officer of both counts for the owner alone.
struct AgreementSignatures {
    bool owner = false;
    bool host = false;
    bool both() const { return owner && host; }
};
AgreementSignatures signatures_of(const vault::Record& record, const vault::Roster& owner,
                                  const vault::Roster& host);

/// `a` with the signatures of `b`. Errors: Conflict (they are not the same agreement).
Result<vault::Record> merge_signatures(const vault::Record& a, const vault::Record& b);

/// An agreement as one side has it.
struct HeldAgreement {
    Agreement terms;
    AgreementSignatures signatures;
    Buffer object;
};

}  // namespace holdfast::replicator
