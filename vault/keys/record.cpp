#include "vault/keys/record.h"

#include "vault/crypto/hash.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::string_view record_magic = "HFREC1\r\n";

// No space, so that no record's type is the tag of something else that is signed ("ledger entry").
bool is_type(std::string_view type) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
    return !type.empty() && type.size() <= record_type_max && std::ranges::all_of(type, allowed);
}

Buffer covered(const Record& record, const PublicKey& signer) {
    Buffer number;
    ByteWriter(number).u64(record.number);
    return tagged(record.type,
                  {signer.view(), record.addressee.view(), number, as_view(record.body)});
}

bool signed_twice(const std::vector<RecordSignature>& signatures) {
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (signatures[i].signer == signatures[j].signer) return true;
        }
    }
    return false;
}

RecordSignature read_signature(ByteReader& in) {
    RecordSignature one;
    one.signer = PublicKey::read(in);
    const View raw = in.bytes(one.signature.size());
    std::copy(raw.begin(), raw.end(), one.signature.begin());
    return one;
}

}  // namespace

Buffer encode(const Record& record) {
    HF_ASSERT(is_type(record.type) && record.body.size() <= record_body_max);
    HF_ASSERT(!record.signatures.empty() && record.signatures.size() <= record_signatures_max);
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(as_view(record_magic));
    writer.text(record.type);
    writer.bytes(record.addressee.view());
    writer.u64(record.number);
    writer.u32(static_cast<std::uint32_t>(record.body.size()));
    writer.bytes(as_view(record.body));
    writer.u8(static_cast<std::uint8_t>(record.signatures.size()));
    for (const RecordSignature& one : record.signatures) {
        writer.bytes(one.signer.view());
        writer.bytes(one.signature);
    }
    return out;
}

Result<Record> parse_record(View bytes) {
    ByteReader in(bytes);
    if (as_text(in.bytes(record_magic.size())) != record_magic) {
        return Error{Errc::Corrupt, "not a record of version 1"};
    }
    Record record;
    record.type = in.text(record_type_max);
    record.addressee = Digest::read(in);
    record.number = in.u64();
    const std::uint32_t length = in.u32();
    if (length > record_body_max) in.fail();
    record.body = std::string(as_text(in.bytes(length)));
    const std::uint8_t count = in.u8();
    if (count == 0 || count > record_signatures_max || !is_type(record.type)) in.fail();
    for (std::uint8_t i = 0; in.ok() && i < count; ++i) {
        record.signatures.push_back(read_signature(in));
    }
    if (!in.done()) return Error{Errc::Corrupt, "a damaged record: cut off, or over a limit"};
    if (signed_twice(record.signatures)) {
        return Error{Errc::Corrupt, "a record that one key signed twice"};
    }
    return record;
}

Digest record_digest(View bytes) {
    return hash("record", bytes);
}

void sign(Record& record, const SigningKey& key) {
    HF_ASSERT(is_type(record.type) && record.signatures.size() < record_signatures_max);
    std::erase_if(record.signatures,
                  [&](const RecordSignature& one) { return one.signer == key.public_key; });
    record.signatures.push_back({key.public_key, key.sign(covered(record, key.public_key))});
}

bool signed_by(const Record& record, const PublicKey& signer) {
    return std::ranges::any_of(record.signatures, [&](const RecordSignature& one) {
        return one.signer == signer &&
               signature_holds(signer, covered(record, signer), one.signature);
    });
}

std::vector<PublicKey> valid_signers(const Record& record, std::span<const PublicKey> allowed) {
    std::vector<PublicKey> found;
    for (const PublicKey& key : allowed) {
        const bool again = std::ranges::find(found, key) != found.end();
        if (!again && signed_by(record, key)) found.push_back(key);
    }
    return found;
}

Result<void> expect(const Record& record, std::string_view type, const Digest& addressee) {
    if (record.type != type) {
        return Error{Errc::Denied,
                     "expected a record of type " + std::string(type) + ", this is " + record.type};
    }
    if (record.addressee != addressee) {
        return Error{Errc::Denied, "this " + record.type + " record is for another reader (" +
                                       record.addressee.brief() + ")"};
    }
    return {};
}

}  // namespace holdfast::vault
