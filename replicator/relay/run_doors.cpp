#include "replicator/relay/run_doors.h"

#include "replicator/tenancy/refusal.h"

#include <algorithm>
#include <cstdio>

namespace holdfast::replicator {

void RunDoors::add_routes(Router& router) {
    router.on_tunnel("/run/{system}/{endpoint}",
                     [this](const HttpRequest& request, Tunnel tunnel) -> Result<void> {
                         return open(request, std::move(tunnel));
                     });
}

std::size_t RunDoors::count_of(const TrustId& owner) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        connections_, [&](const auto& one) { return one.second.owner == owner; }));
}

Result<void> RunDoors::open(const HttpRequest& request, Tunnel tunnel) {
    const Partner* owner = HF_TRY(peer_of(core_, request));
    if (count_of(owner->trust) >= run_connections_max) {
        return refuse(Refusal::Busy, "over " + std::to_string(run_connections_max) +
                                         " connections of one partner");
    }
    const std::string& system = request.param("system");
    const TcpAddress at =
        HF_TRY(find_endpoint(run_folder_, owner->trust, system, request.param("endpoint")));
    TcpStream stream = HF_TRY(TcpStream::connect(core_.loop, at));
    const std::uint64_t id = next_id_++;
    Connection& made = connections_.try_emplace(id, owner->trust, std::move(stream)).first->second;
    made.splice.on_over([this, id, name = owner->name, system](Result<void> why) {
        const auto ended = connections_.extract(id);
        if (why) return;
        std::fprintf(stderr, "holdfast-replicator: a connection of %s to %s: %s\n", name.c_str(),
                     system.c_str(), why.error().message.c_str());
    });
    made.splice.join(std::move(tunnel));
    return {};
}

}  // namespace holdfast::replicator
