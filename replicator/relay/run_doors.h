// RunDoors: the host's side of relays. Answers GET /run/{system}/{endpoint} of docs/peer-api.yaml
// with a tunnel to where that system of the caller's trust is open on this machine.
//
// Whose system it is follows from the TLS key alone: a partner cannot name another's. Thread rule:
// the loop thread.
#pragma once

#include "replicator/peer/peer_api.h"
#include "replicator/relay/endpoint_list.h"
#include "replicator/relay/splice.h"

#include <map>

namespace holdfast::replicator {

constexpr std::size_t run_connections_max = 500;  // Of one partner.

class RunDoors {
public:
    RunDoors(const Core& core, std::string run_folder)
        : core_(core), run_folder_(std::move(run_folder)) {}
    RunDoors(const RunDoors&) = delete;
    RunDoors& operator=(const RunDoors&) = delete;

    void add_routes(Router& router);

private:
    struct Connection {
        Connection(const TrustId& of, TcpStream stream) : owner(of), splice(std::move(stream)) {}
        TrustId owner;
        Splice splice;
    };

    Result<void> open(const HttpRequest& request, Tunnel tunnel);
    std::size_t count_of(const TrustId& owner) const;

    Core core_;
    std::string run_folder_;
    std::map<std::uint64_t, Connection> connections_;
    std::uint64_t next_id_ = 1;
};

}  // namespace holdfast::replicator
