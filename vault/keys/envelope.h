// Envelope: how a host opens a system's data on the day its owner is gone.
//
// Made at agreement time, one per system and host, as a record of type "envelope" that a node of
// the owner signs and that is addressed to the host. It holds the domain's opening secret under a
// secret S of its own, within a sealed box for the host's box key; S is shared out among
// custodians. So neither the host alone nor the custodians alone open anything. Once used, the
// domain is rotated.
//
//     sealed  := wrap("envelope", context, nonce: 24 bytes ‖ XChaCha20-Poly1305(key, nonce,
//                     context, opening secret)), for the host's box key
//     key     := K(S, "envelope", context)
//     context := envelope ‖ trust ‖ domain ‖ host: ids ‖ system: text
#pragma once

#include "vault/keys/custody.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vault {

struct SystemEnvelope {
    Digest id;  // Random.
    std::uint64_t number = 1;
    TrustId trust;  // The owner.
    DomainId domain;
    std::string system;
    TrustId host;
    PublicKey host_key;
    PublicKey opening_key;
    std::int64_t time = 0;
    ShareSet set;
    Buffer sealed;
};

/// What an envelope is made of, beside its keys.
struct EnvelopeFor {
    TrustId trust;
    DomainId domain;
    std::string system;
    TrustId host;
    PublicKey host_key;        // The box key of the host's node.
    std::uint64_t number = 1;  // Higher for a later one of the same system and host.
};

/// Errors: Invalid (see share_out; a system without a name).
Result<Buffer> make_envelope(const EnvelopeFor& what, const BoxKey& opening,
                             const std::vector<Custodian>& custodians, std::size_t threshold,
                             const SigningKey& ledger_key, std::int64_t now_ms, Random& random);

/// Reads an envelope of the trust whose `owner` roster this is, for `host`.
/// Errors: Corrupt, Denied (for another host, or signed by no active node of the owner).
Result<SystemEnvelope> parse_envelope(View object, const TrustId& host, const Roster& owner);

/// The domain's opening key.
/// Errors: Locked (too few shares), Corrupt (another box key, or damaged).
Result<BoxKey> open_envelope(const SystemEnvelope& envelope, const BoxKey& host,
                             const std::vector<OpenedShare>& shares);

}  // namespace holdfast::vault
