// RunApi: a partner orders and steers runs of its own systems here (docs/peer-api.yaml, /runs).
//
// Nothing is run here: what may pass is asked of this node's agent, over its control socket, under
// the owner whose TLS key called. What passes: orders of systems that an agreement in date lets run
// here, and calls about runs of that owner's systems. To pause, abort or stop needs no agreement:
// an owner can always end what runs for it. The agent judges signatures, shares and releases.
//
// Thread rule: the loop thread.
#pragma once

#include "replicator/http/client.h"
#include "replicator/peer/peer_api.h"
#include "replicator/peer/run_wire.h"

#include <deque>
#include <map>
#include <string>

namespace holdfast::replicator {

constexpr std::size_t run_orders_an_hour_max = 30;  // Of one owner.
constexpr std::uint64_t run_answer_bytes_max = 8_MiB;

class RunApi {
public:
    /// All outlive it. `agent_socket` is the agent's control socket.
    RunApi(const Core& core, const PeerApi& peers, HttpClient& client, std::string agent_socket);

    void add_routes(Router& router);

private:
    using Then = Callback<void(Result<HttpReply>)>;

    void order(const HttpRequest& request, Responder respond);
    void look(const HttpRequest& request, const std::string& rest, Responder respond);
    void call(const HttpRequest& request, Responder respond);
    void pass_on(const std::string& path, std::string body, Responder respond);

    Result<void> may_run(const Partner& owner, const std::string& system) const;
    Result<void> count_order(const TrustId& owner);
    void ask_agent(const char* method, const std::string& path, std::string body, Then then);

    Core core_;
    const PeerApi* peers_;
    HttpClient* client_;
    HttpPeer agent_;
    std::map<TrustId, std::deque<std::int64_t>> orders_ms_;  // Of the last hour.
};

}  // namespace holdfast::replicator
