#include "agent/failover/relays_file.h"

#include "agent/json/json.h"
#include "vault/base/file.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::size_t relays_bytes_max = 1 << 20;

std::string path_of(const Home& home) {
    return home.run + "/relays.json";
}

Result<void> write(const Home& home, const std::vector<Relay>& relays) {
    Json out{{"relays", Json::array()}};
    for (const Relay& one : relays) {
        out["relays"].push_back({{"listen", one.listen},
                                 {"partner", one.partner.hex()},
                                 {"system", one.system},
                                 {"endpoint", one.endpoint}});
    }
    HF_TRY(make_folders(home.run, 0755));
    return write_file_durably(path_of(home), as_view(dump(out, 2)), 0644);
}

}  // namespace

Result<std::vector<Relay>> load_relays(const Home& home) {
    std::vector<Relay> out;
    if (!path_exists(path_of(home))) return out;
    const Buffer text = HF_TRY(read_file(path_of(home), relays_bytes_max));
    const Json in = HF_TRY(parse_object(as_text(text), path_of(home)));
    for (const Json& one : list_in(in, "relays")) {
        out.push_back({text_in(one, "listen"),
                       HF_TRY(TrustId::from_text(text_in(one, "partner")).within(path_of(home))),
                       text_in(one, "system"), text_in(one, "endpoint")});
    }
    return out;
}

Result<std::vector<Relay>> lead_to(const Home& home, const SystemSettings& system,
                                   const TrustId& partner) {
    std::vector<Relay> all = HF_TRY(load_relays(home));
    std::erase_if(all, [&](const Relay& one) { return one.system == system.name; });
    std::vector<Relay> added;
    for (const EndpointSettings& endpoint : system.endpoints) {
        if (endpoint.relay.empty()) continue;
        added.push_back({endpoint.relay, partner, system.name, endpoint.name});
    }
    if (added.empty()) {
        return Error{Errc::Invalid, "no [[endpoint]] of " + system.name + " has a relay address"};
    }
    all.insert(all.end(), added.begin(), added.end());
    HF_TRY(write(home, all));
    return added;
}

Result<void> lead_nowhere(const Home& home, const std::string& system) {
    std::vector<Relay> all = HF_TRY(load_relays(home));
    const auto gone = std::erase_if(all, [&](const Relay& one) { return one.system == system; });
    if (gone == 0) return Error{Errc::NotFound, "the relay of " + system + " leads nowhere"};
    return write(home, all);
}

}  // namespace holdfast::agent
