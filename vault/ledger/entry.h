// Entries: the signed steps of a ledger. (docs/vault-format.md, 11)
//
//   entry    := envelope  body
//   envelope := "HFLEDG1\n"  trust: id  chain: id  number: u64  time  previous: id  list: id
//               body_hash: id  body_length: u32  signer: id  signature: 64 bytes       (284 bytes)
//
// The envelope is public and enough to check a chain; the body says what happened, mostly sealed.
// What a parsed entry says is nobody's word until its signature holds and its signer is known.
// Pure functions.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/units.h"
#include "vault/crypto/keys.h"

#include <cstddef>
#include <cstdint>

namespace holdfast::vault {

constexpr std::size_t envelope_bytes = 284;
constexpr std::size_t ledger_body_bytes_max = 1_MiB;
constexpr std::size_t ledger_entry_bytes_max = envelope_bytes + ledger_body_bytes_max;

using SnapshotId = Id<struct SnapshotTag>;  // The hash of its ledger entry.

struct Envelope {
    TrustId trust;
    ChainId chain;
    std::uint64_t number = 0;
    std::int64_t time_ms = 0;  // As the signer's clock claims.
    Digest previous;           // Root over the envelopes before; zeros for number 0.
    ListId list;               // Zeros if the entry is about no packs.
    Digest body_hash;
    std::uint32_t body_length = 0;
    PublicKey signer;
    Signature signature{};

    friend bool operator==(const Envelope&, const Envelope&) = default;
};

struct LedgerEntry {
    Envelope envelope;
    Buffer body;
};

/// Fills in hash, length, signer and signature: `facts` has all that stands before them. `body` has
/// at most ledger_body_bytes_max bytes.
LedgerEntry sign_entry(Envelope facts, Buffer body, const SigningKey& key);

Buffer encode_envelope(const Envelope& envelope);
Buffer encode_entry(const LedgerEntry& entry);

/// Exactly 284 bytes. Errors: Corrupt.
Result<Envelope> parse_envelope(View bytes);

/// Errors: Corrupt (malformed, over its limit, or a body other than the envelope's).
Result<LedgerEntry> parse_entry(View bytes);

/// True if `signer` signed the envelope. Whether the signer may is the roster's to say.
bool signature_holds(const Envelope& envelope);

/// The leaf of this entry in its chain's tree; also the id of the snapshot that it is.
Digest entry_hash(const Envelope& envelope);
inline SnapshotId snapshot_id(const Envelope& envelope) {
    return SnapshotId{entry_hash(envelope).digest};
}

}  // namespace holdfast::vault
