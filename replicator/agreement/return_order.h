// Return order: by it a trust that lost all its nodes shows who it is, with its trust key from the
// recovery kit. It opens nothing but the trust's own rosters (docs/peer-api.yaml, /return).
#pragma once

#include "replicator/http/message.h"
#include "vault/keys/roster.h"

#include <cstdint>

namespace holdfast::replicator {

constexpr std::int64_t return_skew_ms_max = 3600LL * 1000;

/// `tls_key` is the new node's.
Buffer make_return_order(const TrustId& trust, const TrustId& host, const KeyHash& tls_key,
                         const vault::SigningKey& trust_key, std::int64_t now_ms);

/// Which trust a return order is of; it proves nothing yet. Errors: Corrupt.
Result<TrustId> return_order_trust(View object);

/// Errors: Corrupt, Denied (for another host or TLS key, at another time, or signed by a key that
/// `roster` neither used nor promised).
Result<void> check_return_order(View object, const vault::Roster& roster, const TrustId& host,
                                const KeyHash& tls_key, std::int64_t now_ms);

}  // namespace holdfast::replicator
