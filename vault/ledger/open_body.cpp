#include "vault/ledger/open_body.h"

#include "vault/base/json.h"

namespace holdfast::vault {
namespace {

/// `number` is the last entry's; without one nothing of the chain is known to hold.
Result<ChainHead> head_from(const Json& in, const TrustId& trust) {
    ChainHead head;
    head.trust = trust;
    head.chain = HF_TRY(ChainId::from_text(text_in(in, "chain")));
    const auto number = in.find("number");
    if (number == in.end()) return head;
    if (!number->is_number_unsigned() || number->get<std::uint64_t>() >= chain_entries_max) {
        return Error{Errc::Corrupt, "after.number: expected the number of an entry"};
    }
    head.length = number->get<std::uint64_t>() + 1;
    if (in.contains("root")) head.root = HF_TRY(Digest::from_text(text_in(in, "root")));
    return head;
}

}  // namespace

std::string encode_open_body(const OpenBody& body) {
    Json out{{"type", "open"}, {"node", body.node.hex()}, {"name", body.name}};
    if (body.after) {
        Json after{{"chain", body.after->chain.hex()}};
        if (body.after->length != 0) {
            after["number"] = body.after->length - 1;
            after["root"] = body.after->root.hex();
        }
        out["after"] = std::move(after);
    }
    return json_text(out);
}

Result<std::optional<OpenBody>> parse_open_body(std::string_view body, const TrustId& trust) {
    const Json in = HF_TRY(parse_json(body).within("a ledger body"));
    if (!in.is_object()) return Error{Errc::Corrupt, "a ledger body that is no JSON object"};
    if (text_in(in, "type") != "open") return std::optional<OpenBody>{};
    OpenBody open;
    open.node = HF_TRY(PublicKey::from_text(text_in(in, "node")));
    open.name = text_in(in, "name");
    const auto after = in.find("after");
    if (after != in.end() && after->is_object()) open.after = HF_TRY(head_from(*after, trust));
    return std::optional<OpenBody>(std::move(open));
}

}  // namespace holdfast::vault
