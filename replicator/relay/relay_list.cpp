#include "replicator/relay/relay_list.h"

#include "vault/keys/json_fields.h"

#include <algorithm>

namespace holdfast::replicator {
namespace {

using vault::Fields;

Result<void> check(const std::vector<Relay>& relays) {
    for (const Relay& one : relays) {
        HF_TRY(parse_tcp_address(one.listen).within("a relay's listen"));
        if (!is_system_name(one.system) || !is_system_name(one.endpoint)) {
            return Error{Errc::Invalid, "the relay at " + one.listen + " names no system"};
        }
        const auto same = std::ranges::count(relays, one.listen, &Relay::listen);
        if (same > 1) return Error{Errc::Invalid, "two relays listen on " + one.listen};
    }
    return {};
}

}  // namespace

bool is_system_name(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !text.empty() && text.size() <= system_name_bytes_max &&
           std::ranges::all_of(text, allowed);
}

std::string relays_text(const std::vector<Relay>& relays) {
    Json all = Json::array();
    for (const Relay& one : relays) {
        all.push_back({{"listen", one.listen},
                       {"partner", one.partner.hex()},
                       {"system", one.system},
                       {"endpoint", one.endpoint}});
    }
    return json_text({{"relays", std::move(all)}}, 2);
}

Result<std::vector<Relay>> parse_relays(std::string_view text) {
    auto body = HF_TRY(vault::JsonText::parse(text, "the list of relays"));
    const auto relays = body.top().list("relays", relays_max, [](Fields& one) {
        return Relay{one.text("listen"), one.id<TrustId>("partner"), one.text("system"),
                     one.text("endpoint")};
    });
    HF_TRY(body.check());
    HF_TRY(check(relays));
    return relays;
}

}  // namespace holdfast::replicator
