#include "vault/ledger/open_body.h"

#include <nlohmann/json.hpp>

namespace holdfast::vault {
namespace {

using nlohmann::json;

std::string text(const json& in, const char* key) {
    const auto at = in.find(key);
    return at != in.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// `number` is the last entry's; without one nothing of the chain is known to hold.
Result<ChainHead> head_from(const json& in, const TrustId& trust) {
    ChainHead head;
    head.trust = trust;
    head.chain = HF_TRY(ChainId::from_text(text(in, "chain")));
    const auto number = in.find("number");
    if (number == in.end()) return head;
    if (!number->is_number_unsigned() || number->get<std::uint64_t>() >= chain_entries_max) {
        return Error{Errc::Corrupt, "after.number: expected the number of an entry"};
    }
    head.length = number->get<std::uint64_t>() + 1;
    if (in.contains("root")) head.root = HF_TRY(Digest::from_text(text(in, "root")));
    return head;
}

}  // namespace

std::string encode_open_body(const OpenBody& body) {
    json out{{"type", "open"}, {"node", body.node.hex()}, {"name", body.name}};
    if (body.after) {
        json after{{"chain", body.after->chain.hex()}};
        if (body.after->length != 0) {
            after["number"] = body.after->length - 1;
            after["root"] = body.after->root.hex();
        }
        out["after"] = std::move(after);
    }
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::optional<OpenBody>> parse_open_body(std::string_view body, const TrustId& trust) {
    const json in = json::parse(body, nullptr, false);
    if (!in.is_object()) return Error{Errc::Corrupt, "a ledger body that is no JSON object"};
    if (text(in, "type") != "open") return std::optional<OpenBody>{};
    OpenBody open;
    open.node = HF_TRY(PublicKey::from_text(text(in, "node")));
    open.name = text(in, "name");
    const auto after = in.find("after");
    if (after != in.end() && after->is_object()) open.after = HF_TRY(head_from(*after, trust));
    return std::optional<OpenBody>(std::move(open));
}

}  // namespace holdfast::vault
