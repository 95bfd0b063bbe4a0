// Holder: who may write a system, term by term.
//
// A holder record is what a failover's order becomes. Its body is made when the copy has been
// proven, so that whoever signs knows what they approve; two persons of the owner's sign it; with
// the host's own signature it is the term. It is addressed to everyone, its number is the term.
//
//     {"owner", "system", "term", "host", "node", "run", "snapshot", "snapshot_ms", "plan",
//      "previous": H("holder", body of the term before), zeros for the first}
//
// An attestation is one person's word on the fence: a record of type "attestation", addressed to
// the host's trust, numbered by the term, signed by that person alone:
//
//     {"holder": H("holder", body of the holder record), "question", "words", "time"}
#pragma once

#include "vault/base/units.h"
#include "vault/keys/record.h"

#include <cstdint>
#include <string>

namespace holdfast::agent {

constexpr std::size_t attested_words_max = 1'000;

struct Holder {
    TrustId owner;
    std::string system;
    std::uint64_t term = 0;
    TrustId host;
    std::string node;
    std::string run;
    std::string snapshot;  // Hexadecimal.
    std::int64_t snapshot_ms = 0;
    std::string plan;
    Digest previous;
};

/// Unsigned.
vault::Record holder_record(const Holder& holder);
/// Errors: Corrupt, Denied (of another type). Who signed is the caller's to ask.
Result<Holder> parse_holder(const vault::Record& record);
/// What an attestation and the next term name it by.
Digest holder_digest(const vault::Record& record);

struct Attestation {
    Digest holder;
    std::string question;
    std::string words;
    std::int64_t time_ms = 0;
};

/// Unsigned; `host` is the trust that executes.
vault::Record attestation_record(const Attestation& attestation, const TrustId& host,
                                 std::uint64_t term);
/// Errors: Corrupt, Denied (of another type, or for another host).
Result<Attestation> parse_attestation(const vault::Record& record, const TrustId& host);

}  // namespace holdfast::agent
