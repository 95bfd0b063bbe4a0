// Receipt: a host's signature that it holds the packs of a list, since when, under which agreement.
//
// A record of type "receipt", addressed to the owner, signed by the link key of a node of the host.
#pragma once

#include "vault/keys/roster.h"

#include <cstdint>
#include <string>

namespace holdfast::replicator {

struct Receipt {
    TrustId owner;
    TrustId host;
    std::string node;
    ListId list;
    std::uint64_t packs = 0;
    std::uint64_t bytes = 0;
    std::int64_t time = 0;
    std::uint64_t agreement = 0;

    friend bool operator==(const Receipt&, const Receipt&) = default;
};

Buffer make_receipt(const Receipt& receipt, const vault::SigningKey& link);

/// Errors: Corrupt, Denied (for another owner, or signed by no node of the host).
Result<Receipt> parse_receipt(View object, const TrustId& owner, const vault::Roster& host);

}  // namespace holdfast::replicator
