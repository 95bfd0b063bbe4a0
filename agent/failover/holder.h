// Attestation: one person's word on what no machine can know, for a run's order.
//
// A record of type "attestation", addressed to the host's trust, numbered by the term, signed by
// that person alone:
//
//     {"holder": H("holder", body of the holder record), "about", "question", "words", "time"}
//
// `about` is "fence": the old side cannot write; or "witnesses": nobody else holds this term or a
// later one, where no majority of witnesses could say so. Holder records themselves are
// replicator/witness/holder.h.
#pragma once

#include "replicator/witness/holder.h"

#include <string>
#include <string_view>

namespace holdfast::agent {

using replicator::Holder;
using replicator::holder_digest;
using replicator::holder_record;
using replicator::parse_holder;

constexpr std::size_t attested_words_max = 1'000;
constexpr std::string_view about_fence = "fence";
constexpr std::string_view about_witnesses = "witnesses";

struct Attestation {
    Digest holder;
    std::string question;
    std::string words;
    std::int64_t time_ms = 0;
    std::string about{about_fence};
};

/// Unsigned; `host` is the trust that executes.
vault::Record attestation_record(const Attestation& attestation, const TrustId& host,
                                 std::uint64_t term);
/// Errors: Corrupt, Denied (of another type, or for another host), Invalid (no words, or about
/// something else).
Result<Attestation> parse_attestation(const vault::Record& record, const TrustId& host);

}  // namespace holdfast::agent
