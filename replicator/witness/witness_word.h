// Witness word: a witness's signature that it keeps just this holder record for its term, and will
// keep no other.
//
// A record of type "witness", addressed to the owner, numbered by the term, signed by the link key
// of a node of the witness:
//
//     {"owner", "system", "term", "holder": H("holder", its body), "witness", "node", "time"}
#pragma once

#include "replicator/witness/holder.h"
#include "vault/keys/roster.h"

namespace holdfast::replicator {

struct WitnessWord {
    TrustId owner;
    std::string system;
    std::uint64_t term = 0;
    Digest holder;
    TrustId witness;
    std::string node;
    std::int64_t time = 0;  // When it first kept it.

    friend bool operator==(const WitnessWord&, const WitnessWord&) = default;
};

Buffer make_witness_word(const WitnessWord& word, const vault::SigningKey& link);

/// That `witness` keeps `holder`. Errors: Corrupt, Denied (about another record, or signed by no
/// node of the witness).
Result<WitnessWord> parse_witness_word(View object, const vault::Record& holder,
                                       const vault::Roster& witness);

}  // namespace holdfast::replicator
