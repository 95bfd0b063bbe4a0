#include "vault/keys/custody.h"

#include "vault/crypto/hash.h"
#include "vault/keys/shares_json.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::string_view custody_type = "custody";
constexpr std::string_view handed_tag = "handed share";
constexpr std::string_view handed_magic = "HFSHAR1\n";
constexpr std::size_t handed_header_bytes = 8 + 32 + 32 + 1 + 1;

std::string_view wrap_tag(const Digest& of) {
    return of.zero() ? "custody share" : "envelope share";
}

Buffer wrap_context(const TrustId& trust, const Digest& of, std::uint8_t number) {
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(trust.view());
    if (!of.zero()) writer.bytes(of.view());
    writer.u8(number);
    return out;
}

Digest check_of(const Secret& share) {
    return hash("custody share check", share.view());
}

const CustodyShare* find(const ShareSet& set, std::uint8_t number) {
    for (const CustodyShare& one : set.shares) {
        if (one.number == number) return &one;
    }
    return nullptr;
}

Result<void> check_custodians(const std::vector<Custodian>& custodians) {
    for (std::size_t i = 0; i < custodians.size(); ++i) {
        const Custodian& one = custodians[i];
        if (one.name.empty() || one.name.size() > name_bytes_max) {
            return Error{Errc::Invalid, "a custodian's name has 1 to 256 bytes"};
        }
        for (std::size_t j = 0; j < i; ++j) {
            if (custodians[j].key == one.key || custodians[j].name == one.name) {
                return Error{Errc::Invalid, "custodian " + one.name + " would hold two shares"};
            }
        }
    }
    return {};
}

// "2 of 3 shares are here; wrong: A; to ask: B, C"
Error too_few(const ShareSet& set, const std::vector<Share>& right, const std::string& wrong) {
    std::string others;
    for (const CustodyShare& one : set.shares) {
        const bool here = std::ranges::any_of(
            right, [&](const Share& share) { return share.number == one.number; });
        if (!here) others += (others.empty() ? "" : ", ") + one.custodian;
    }
    return {Errc::Locked, std::to_string(right.size()) + " of the " +
                              std::to_string(set.threshold) + " shares needed are here" +
                              (wrong.empty() ? "" : "; refused: " + wrong) +
                              "; still to be asked: " + others};
}

}  // namespace

Result<ShareSet> share_out(const TrustId& trust, const Digest& of, const Secret& secret,
                           const std::vector<Custodian>& custodians, std::size_t threshold) {
    HF_TRY(check_custodians(custodians));
    const std::vector<Share> shares = HF_TRY(split_secret(secret, custodians.size(), threshold));
    ShareSet set{trust, of, static_cast<std::uint8_t>(threshold), {}};
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const Share& share = shares[i];
        set.shares.push_back({custodians[i].name, custodians[i].key, share.number,
                              wrap(wrap_tag(of), wrap_context(trust, of, share.number),
                                   share.bytes.view(), custodians[i].key),
                              check_of(share.bytes)});
    }
    return set;
}

Result<OpenedShare> open_share(const ShareSet& set, const BoxKey& custodian) {
    for (const CustodyShare& one : set.shares) {
        if (one.key != custodian.public_key) continue;
        const Buffer context = wrap_context(set.trust, set.of, one.number);
        Secret bytes = HF_TRY(unwrap(wrap_tag(set.of), context, one.wrapped, custodian)
                                  .within("the share of " + one.custodian));
        OpenedShare opened{set.trust, set.of, set.threshold, {one.number, std::move(bytes)}};
        HF_TRY(check_share(set, opened));
        return opened;
    }
    return Error{Errc::NotFound, "no share was given to the key " + custodian.public_key.brief()};
}

Buffer hand_over(const OpenedShare& share, const PublicKey& recipient) {
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(as_view(handed_magic));
    writer.bytes(share.trust.view());
    writer.bytes(share.of.view());
    writer.u8(share.threshold);
    writer.u8(share.share.number);
    const Buffer wrapped = wrap(handed_tag, out, share.share.bytes.view(), recipient);
    writer.bytes(wrapped);
    return out;
}

Result<OpenedShare> receive_share(View handed, const BoxKey& recipient) {
    if (handed.size() <= handed_header_bytes || handed.size() > handed_share_bytes_max ||
        as_text(handed.first(handed_magic.size())) != handed_magic) {
        return Error{Errc::Corrupt, "this is no handed-over share"};
    }
    const View header = handed.first(handed_header_bytes);
    ByteReader in(header.subspan(handed_magic.size()));
    OpenedShare share;
    share.trust = TrustId::read(in);
    share.of = Digest::read(in);
    share.threshold = in.u8();
    share.share.number = in.u8();
    share.share.bytes =
        HF_TRY(unwrap(handed_tag, header, handed.subspan(handed_header_bytes), recipient)
                   .within("a handed-over share"));
    return share;
}

Result<void> check_share(const ShareSet& set, const OpenedShare& share) {
    const std::string number = std::to_string(share.share.number);
    if (share.trust != set.trust || share.of != set.of) {
        return Error{Errc::Denied, "share " + number + " is a share of another secret"};
    }
    const CustodyShare* given = find(set, share.share.number);
    if (given == nullptr) return Error{Errc::NotFound, "no share " + number + " was given out"};
    if (share.share.bytes.size() != share_bytes || check_of(share.share.bytes) != given->check ||
        share.threshold != set.threshold) {
        return Error{Errc::Corrupt, "the share of " + given->custodian + " (" + number +
                                        ") is not the one that was given out"};
    }
    return {};
}

Result<Secret> combine(const ShareSet& set, const std::vector<OpenedShare>& shares) {
    std::vector<Share> right;
    std::string wrong;
    for (const OpenedShare& one : shares) {
        const Result<void> checked = check_share(set, one);
        const bool again = std::ranges::any_of(
            right, [&](const Share& share) { return share.number == one.share.number; });
        if (!checked) {
            wrong += (wrong.empty() ? "" : ", ") + checked.error().message;
        } else if (!again) {
            right.push_back({one.share.number, one.share.bytes.clone()});
        }
    }
    if (right.size() < set.threshold) return too_few(set, right, wrong);
    return combine_shares(right);
}

Result<Buffer> make_custody(const Roster& roster, std::uint64_t number, const BoxKey& recovery,
                            const std::vector<Custodian>& custodians, std::size_t threshold,
                            const SigningKey& trust_key, std::int64_t now_ms) {
    if (recovery.public_key != roster.recovery_key || trust_key.public_key != roster.trust_key) {
        return Error{Errc::Invalid, "these are not the recovery and trust keys of the roster"};
    }
    const ShareSet set =
        HF_TRY(share_out(roster.trust, {}, recovery.secret, custodians, threshold));
    Json body = {{"time", now_ms}};
    put_shares(body, set);
    Record record{std::string(custody_type), {}, number, json_text(body), {}};
    sign(record, trust_key);
    return encode(record);
}

Result<Custody> parse_custody(View object, const Roster& roster) {
    const Record record = HF_TRY(parse_record(object));
    HF_TRY(expect(record, custody_type, Digest{}));
    if (!signed_by(record, roster.trust_key)) {
        return Error{Errc::Denied, "custody " + std::to_string(record.number) +
                                       " is not signed by the trust key of roster " +
                                       std::to_string(roster.number)};
    }
    JsonText body = HF_TRY(JsonText::parse(record.body, custody_type.data()));
    Fields in = body.top();
    Custody custody{record.number, in.time("time"), read_shares(in, roster.trust, {})};
    HF_TRY(body.check());
    return custody;
}

Result<BoxKey> recover(const Custody& custody, const Roster& roster,
                       const std::vector<OpenedShare>& shares) {
    BoxKey key = BoxKey::from_secret(HF_TRY(combine(custody.set, shares)));
    if (key.public_key == roster.recovery_key) return key;
    return Error{Errc::Denied, "the shares of custody " + std::to_string(custody.number) +
                                   " give a key that is not the recovery key of roster " +
                                   std::to_string(roster.number) + ": take the newest of both"};
}

}  // namespace holdfast::vault
