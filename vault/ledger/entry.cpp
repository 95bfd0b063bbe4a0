#include "vault/ledger/entry.h"

#include "vault/base/assert.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/merkle.h"

#include <algorithm>

namespace holdfast::vault {

namespace {

constexpr std::string_view entry_magic = "HFLEDG1\n";

Error bad_entry(const std::string& what) {
    return {Errc::Corrupt, "ledger entry: " + what + "; fetch it again from another vault"};
}

Buffer signed_part(const Envelope& envelope) {
    Buffer bytes = encode_envelope(envelope);
    bytes.resize(bytes.size() - envelope.signature.size());
    return tagged("ledger entry", {bytes});
}

Digest body_hash(View body) {
    return hash("ledger body", body);
}

}  // namespace

LedgerEntry sign_entry(Envelope facts, Buffer body, const SigningKey& key) {
    HF_ASSERT(body.size() <= ledger_body_bytes_max);
    facts.body_hash = body_hash(body);
    facts.body_length = static_cast<std::uint32_t>(body.size());
    facts.signer = key.public_key;
    facts.signature = key.sign(signed_part(facts));
    return {facts, std::move(body)};
}

Buffer encode_envelope(const Envelope& envelope) {
    Buffer bytes;
    bytes.reserve(envelope_bytes);
    ByteWriter out(bytes);
    out.bytes(as_view(entry_magic));
    out.bytes(envelope.trust.view());
    out.bytes(envelope.chain.view());
    out.u64(envelope.number);
    out.u64(static_cast<std::uint64_t>(envelope.time_ms));
    out.bytes(envelope.previous.view());
    out.bytes(envelope.list.view());
    out.bytes(envelope.body_hash.view());
    out.u32(envelope.body_length);
    out.bytes(envelope.signer.view());
    out.bytes(envelope.signature);
    HF_ASSERT(bytes.size() == envelope_bytes);
    return bytes;
}

Buffer encode_entry(const LedgerEntry& entry) {
    Buffer bytes = encode_envelope(entry.envelope);
    bytes.insert(bytes.end(), entry.body.begin(), entry.body.end());
    return bytes;
}

Result<Envelope> parse_envelope(View bytes) {
    ByteReader in(bytes);
    if (as_text(in.bytes(entry_magic.size())) != entry_magic)
        return bad_entry("not an entry of version 1");
    Envelope envelope;
    envelope.trust = TrustId::read(in);
    envelope.chain = ChainId::read(in);
    envelope.number = in.u64();
    envelope.time_ms = static_cast<std::int64_t>(in.u64());
    envelope.previous = Digest::read(in);
    envelope.list = ListId::read(in);
    envelope.body_hash = Digest::read(in);
    envelope.body_length = in.u32();
    envelope.signer = PublicKey::read(in);
    const View signature = in.bytes(envelope.signature.size());
    if (!in.done()) return bad_entry("an envelope has 284 bytes");
    if (envelope.body_length > ledger_body_bytes_max) return bad_entry("a body over 1 MiB");
    std::copy(signature.begin(), signature.end(), envelope.signature.begin());
    return envelope;
}

Result<LedgerEntry> parse_entry(View bytes) {
    if (bytes.size() < envelope_bytes) return bad_entry("cut short");
    LedgerEntry entry;
    entry.envelope = HF_TRY(parse_envelope(bytes.first(envelope_bytes)));
    const View body = bytes.subspan(envelope_bytes);
    if (body.size() != entry.envelope.body_length) return bad_entry("a body of the wrong length");
    if (body_hash(body) != entry.envelope.body_hash) return bad_entry("another entry's body");
    entry.body.assign(body.begin(), body.end());
    return entry;
}

bool signature_holds(const Envelope& envelope) {
    return signature_holds(envelope.signer, signed_part(envelope), envelope.signature);
}

Digest entry_hash(const Envelope& envelope) {
    return merkle_leaf_hash(encode_envelope(envelope));
}

}  // namespace holdfast::vault
