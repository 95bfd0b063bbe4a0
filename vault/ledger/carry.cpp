#include "vault/ledger/carry.h"

#include "vault/base/assert.h"
#include "vault/ledger/body.h"

#include <algorithm>
#include <bit>
#include <string>

namespace holdfast::vault {
namespace {

constexpr std::size_t place_bytes = 9;  // Before the piece.
constexpr std::size_t piece_bytes_max = ledger_body_bytes_max - place_bytes;

Error bad_carry(const Envelope& first, Errc code, const std::string& what) {
    return {code, "ledger chain " + first.chain.brief() + ", carry at entry " +
                      std::to_string(first.number) + ": " + what};
}

/// What the pieces of `parts` make together.
Buffer joined(std::span<const LedgerEntry> parts) {
    Buffer all;
    for (const LedgerEntry& part : parts) {
        const View piece = View(part.body).subspan(place_bytes);
        all.insert(all.end(), piece.begin(), piece.end());
    }
    return all;
}

bool is_whole(std::span<const LedgerEntry> parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto place = carry_place(parts[i]);
        if (!place || place->part != i || place->parts != parts.size()) return false;
        if (parts[i].envelope.signer != parts[0].envelope.signer) return false;
        if (parts[i].envelope.number != parts[0].envelope.number + i) return false;
    }
    return !parts.empty();
}

Result<void> check_carried(const Envelope& carried, const Envelope& by, const MaySign& may_sign) {
    const std::string which = "carried entry " + std::to_string(carried.number) + ": ";
    if (carried.trust != by.trust || carried.chain != by.chain || carried.number >= by.number) {
        return bad_carry(by, Errc::Denied, which + "it does not stand before it in this chain");
    }
    if (carried.signer != by.signer && !(may_sign(carried) && signature_holds(carried))) {
        return bad_carry(by, Errc::Denied, which + "its signature does not hold");
    }
    return {};
}

}  // namespace

std::optional<CarryPlace> carry_place(const LedgerEntry& entry) {
    if (body_form(entry) != BodyForm::Carry) return std::nullopt;
    ByteReader in(View(entry.body).subspan(1));
    CarryPlace place;
    place.part = in.u32();
    place.parts = in.u32();
    if (!in.ok() || place.part >= place.parts || place.parts > carry_parts_max) {
        return std::nullopt;
    }
    return place;
}

Result<std::vector<Buffer>> carry_bodies(const MerkleLog& log,
                                         const std::vector<const LedgerEntry*>& kept) {
    Buffer all;
    ByteWriter out(all);
    for (const Digest& peak : log.peaks()) out.bytes(peak.view());
    out.varint(kept.size());
    for (const LedgerEntry* entry : kept) out.blob(encode_entry(*entry));
    const std::size_t parts = (all.size() + piece_bytes_max - 1) / piece_bytes_max;
    if (parts > carry_parts_max) {
        return Error{Errc::Full, "the ledger's standing entries have " +
                                     std::to_string(all.size()) +
                                     " bytes, more than can be carried over; let the rules in "
                                     "[keep] keep fewer snapshots"};
    }
    std::vector<Buffer> bodies;
    for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t at = part * piece_bytes_max;
        Buffer& body = bodies.emplace_back();
        ByteWriter writer(body);
        writer.u8(static_cast<std::uint8_t>(BodyForm::Carry));
        writer.u32(static_cast<std::uint32_t>(part));
        writer.u32(static_cast<std::uint32_t>(parts));
        writer.bytes(View(all).subspan(at, std::min(piece_bytes_max, all.size() - at)));
    }
    return bodies;
}

Result<Chain> chain_before(const LedgerEntry& first) {
    const auto place = carry_place(first);
    const Envelope& envelope = first.envelope;
    if (!place || place->part != 0) return bad_carry(envelope, Errc::Corrupt, "not its first part");
    ByteReader in(View(first.body).subspan(place_bytes));
    std::vector<Digest> peaks;
    for (int left = std::popcount(envelope.number); left > 0; --left) {
        peaks.push_back(Digest::read(in));
    }
    if (!in.ok()) return bad_carry(envelope, Errc::Corrupt, "cut short");
    const MerkleLog log = HF_TRY(MerkleLog::resume(envelope.number, std::move(peaks)));
    if (log.root() != envelope.previous) {
        return bad_carry(envelope, Errc::Denied, "its tree is not the one that it goes on from");
    }
    return Chain(envelope.trust, envelope.chain, log);
}

Result<Carry> read_carry(std::span<const LedgerEntry> parts, const MaySign& may_sign) {
    HF_ASSERT(!parts.empty());
    const Envelope& first = parts[0].envelope;
    if (!is_whole(parts)) return bad_carry(first, Errc::Corrupt, "its parts are not in a row");
    Carry carry{HF_TRY(chain_before(parts[0])), {}};
    const Buffer all = joined(parts);
    ByteReader in(all);
    for (std::size_t i = 0; i < carry.chain.log().peaks().size(); ++i) (void)Digest::read(in);
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        LedgerEntry entry = HF_TRY(parse_entry(in.blob(ledger_entry_bytes_max)));
        HF_TRY(check_carried(entry.envelope, first, may_sign));
        const bool rising =
            carry.entries.empty() || carry.entries.back().envelope.number < entry.envelope.number;
        if (!rising) return bad_carry(first, Errc::Corrupt, "entries out of order");
        carry.entries.push_back(std::move(entry));
    }
    if (!in.done()) return bad_carry(first, Errc::Corrupt, "cut short, or too long");
    if (carry.entries.empty() || carry.entries.front().envelope.number != 0) {
        return bad_carry(first, Errc::Corrupt, "the entry that opens the chain is not in it");
    }
    return carry;
}

}  // namespace holdfast::vault
