// Record: a fact that people or nodes sign (docs/vault-format.md, 3).
//
// The signatures cover type, signer, addressee, number and the body's exact bytes; so a signature
// cannot be moved to another type, reader or number, and a body has no canonical form. A parsed
// record proves nothing yet: ask signed_by(), with keys from a roster.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/keys.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t record_type_max = 32;
constexpr std::size_t record_body_max = 1_MiB;
constexpr std::size_t record_signatures_max = 8;
constexpr std::size_t record_bytes_max = record_body_max + 1_KiB;

struct RecordSignature {
    PublicKey signer;
    Signature signature{};

    friend bool operator==(const RecordSignature&, const RecordSignature&) = default;
};

struct Record {
    std::string type;  // 1 to 32 of a-z and '-'.
    Digest addressee;  // A trust's id; zeros: everyone.
    std::uint64_t number = 0;
    std::string body;  // JSON in UTF-8, as it was signed.
    std::vector<RecordSignature> signatures;

    friend bool operator==(const Record&, const Record&) = default;
};

/// The addressee that stands for a trust.
inline Digest addressed_to(const TrustId& trust) {
    return {trust.digest};
}

/// The record must be within the limits above, and signed.
Buffer encode(const Record& record);

/// Errors: Corrupt (not a record, over a limit, bytes left over, signed twice by one key).
Result<Record> parse_record(View bytes);

/// H("record", bytes): how one record names another.
Digest record_digest(View bytes);

/// Adds the signature of `key`. What it covers must not change afterwards.
void sign(Record& record, const SigningKey& key);

/// True if `signer` signed just this record.
bool signed_by(const Record& record, const PublicKey& signer);

/// Those of `allowed` that signed this record, each once.
std::vector<PublicKey> valid_signers(const Record& record, std::span<const PublicKey> allowed);

/// Checks what a parser of one type asks first. Errors: Denied (of another type, or for another
/// reader: it may be a replay).
Result<void> expect(const Record& record, std::string_view type, const Digest& addressee);

}  // namespace holdfast::vault
