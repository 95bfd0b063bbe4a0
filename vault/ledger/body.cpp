#include "vault/ledger/body.h"

namespace holdfast::vault {
namespace {

enum BodyForm : std::uint8_t { Clear = 0, Sealed = 1 };

Buffer additional(const SegmentName& name, const ChainId& chain, std::uint64_t number) {
    return chunk_additional(name, number, chain.view());
}

}  // namespace

Buffer clear_body(std::string_view json) {
    Buffer out;
    ByteWriter writer(out);
    writer.u8(Clear);
    writer.bytes(as_view(json));
    return out;
}

Buffer seal_body(std::string_view json, const Epoch& epoch, const ChainId& chain,
                 std::uint64_t number, Random& random) {
    SegmentName name{epoch.domain, epoch.id, {}, fastest_cipher(), Kind::Ledger};
    random.fill(name.salt);
    Buffer out;
    ByteWriter writer(out);
    writer.u8(Sealed);
    writer.bytes(name.epoch.view());
    writer.bytes(name.salt);
    writer.u8(static_cast<std::uint8_t>(name.cipher));
    Sealer sealer(name.cipher, segment_key(name, epoch.map));
    sealer.seal(number, additional(name, chain, number), as_view(json), out);
    return out;
}

EpochId body_epoch(const LedgerEntry& entry) {
    ByteReader in(entry.body);
    if (in.u8() != Sealed) return {};
    return EpochId::read(in);
}

Result<std::string> open_body(const LedgerEntry& entry, const KeySource& keys) {
    ByteReader in(entry.body);
    const std::uint8_t form = in.u8();
    if (!in.ok() || form > Sealed) return Error{Errc::Corrupt, "a ledger body of unknown form"};
    if (form == Clear) return std::string(as_text(in.bytes(in.left())));
    SegmentName name;
    name.kind = Kind::Ledger;
    name.epoch = EpochId::read(in);
    const View salt = in.bytes(name.salt.size());
    std::copy(salt.begin(), salt.end(), name.salt.begin());
    name.cipher = HF_TRY(cipher_from(in.u8()));
    if (!in.ok()) return Error{Errc::Corrupt, "a ledger body cut short"};
    name.domain = HF_TRY(keys.domain_of(name.epoch));
    Sealer sealer(name.cipher, HF_TRY(keys.key_of(name)));
    Buffer plain;
    const Envelope& envelope = entry.envelope;
    HF_TRY(sealer.open(envelope.number, additional(name, envelope.chain, envelope.number),
                       in.bytes(in.left()), plain));
    return std::string(as_text(plain));
}

}  // namespace holdfast::vault
