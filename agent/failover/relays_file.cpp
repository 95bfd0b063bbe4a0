#include "agent/failover/relays_file.h"

#include "vault/base/file.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

std::string path_of(const Home& home) {
    return home.state + "/relays.json";
}

Result<void> write(const Home& home, const std::vector<Relay>& relays) {
    const std::string text = replicator::relays_text(relays);
    HF_TRY(replicator::parse_relays(text).within(path_of(home)));
    HF_TRY(make_folders(home.state));
    return write_file_durably(path_of(home), as_view(text), 0644);
}

}  // namespace

Result<std::vector<Relay>> load_relays(const Home& home) {
    if (!path_exists(path_of(home))) return std::vector<Relay>();
    const Buffer text = HF_TRY(read_file(path_of(home), replicator::relays_bytes_max));
    return replicator::parse_relays(as_text(text)).within(path_of(home));
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
