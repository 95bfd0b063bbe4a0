#include "vault/ledger/body.h"

namespace holdfast::vault {
namespace {

Buffer additional(const SegmentName& name, const ChainId& chain, std::uint64_t number) {
    return chunk_additional(name, number, chain.view());
}

}  // namespace

std::optional<BodyForm> body_form(const LedgerEntry& entry) {
    if (entry.body.empty() || entry.body[0] > static_cast<std::uint8_t>(BodyForm::Carry)) {
        return std::nullopt;
    }
    return static_cast<BodyForm>(entry.body[0]);
}

Buffer clear_body(std::string_view json) {
    Buffer out;
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(BodyForm::Clear));
    writer.bytes(as_view(json));
    return out;
}

Buffer seal_body(std::string_view json, const Epoch& epoch, const ChainId& chain,
                 std::uint64_t number, Random& random) {
    SegmentName name{epoch.domain, epoch.id, {}, fastest_cipher(), Kind::Ledger};
    random.fill(name.salt);
    Buffer out;
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(BodyForm::Sealed));
    writer.bytes(name.epoch.view());
    writer.bytes(name.salt);
    writer.u8(static_cast<std::uint8_t>(name.cipher));
    Sealer sealer(name.cipher, segment_key(name, epoch.map));
    sealer.seal(number, additional(name, chain, number), as_view(json), out);
    return out;
}

EpochId body_epoch(const LedgerEntry& entry) {
    if (body_form(entry) != BodyForm::Sealed) return {};
    ByteReader in(View(entry.body).subspan(1));
    return EpochId::read(in);
}

Result<std::string> open_body(const LedgerEntry& entry, const KeySource& keys) {
    const auto form = body_form(entry);
    if (!form || *form == BodyForm::Carry) {
        return Error{Errc::Corrupt, "a ledger body of unknown form"};
    }
    ByteReader in(View(entry.body).subspan(1));
    if (*form == BodyForm::Clear) return std::string(as_text(in.bytes(in.left())));
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
