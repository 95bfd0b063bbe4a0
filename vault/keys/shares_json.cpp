#include "vault/keys/shares_json.h"

namespace holdfast::vault {
namespace {

constexpr std::string_view scheme = "shamir-gf256";
constexpr std::size_t wrapped_max = 256;

CustodyShare read_share(Fields& in) {
    CustodyShare one;
    one.custodian = in.text("custodian");
    one.key = in.id<PublicKey>("key");
    one.number = static_cast<std::uint8_t>(in.number("number", 255));
    one.wrapped = in.base64("wrapped", wrapped_max);
    one.check = in.id<Digest>("check");
    return one;
}

bool distinct(const std::vector<CustodyShare>& shares) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (shares[i].number == 0) return false;
        for (std::size_t j = 0; j < i; ++j) {
            if (shares[i].number == shares[j].number || shares[i].key == shares[j].key) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

void put_shares(Json& json, const ShareSet& set) {
    Json shares = Json::array();
    for (const CustodyShare& one : set.shares) {
        shares.push_back({{"custodian", one.custodian},
                          {"key", one.key.hex()},
                          {"number", one.number},
                          {"wrapped", to_base64(one.wrapped)},
                          {"check", one.check.hex()}});
    }
    json["scheme"] = scheme;
    json["threshold"] = set.threshold;
    json["shares"] = std::move(shares);
}

ShareSet read_shares(Fields& in, const TrustId& trust, const Digest& of) {
    ShareSet set{trust, of, 0, {}};
    if (in.text("scheme") != scheme) in.fail("scheme", "expected shamir-gf256");
    set.threshold = static_cast<std::uint8_t>(in.number("threshold", shares_max));
    set.shares = in.list("shares", shares_max, read_share);
    if (set.threshold < share_threshold_min || set.threshold > set.shares.size()) {
        in.fail("threshold", "expected 2 to the count of shares");
    }
    if (!distinct(set.shares)) in.fail("shares", "expected each number and key once");
    return set;
}

}  // namespace holdfast::vault
