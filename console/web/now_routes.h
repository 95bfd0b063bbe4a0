// The page Now: three questions to the agent, one answer to the browser.
//
// Thread rule: the loop thread.
#pragma once

#include "console/session/sessions.h"
#include "console/web/agent_link.h"
#include "replicator/http/router.h"

#include <optional>

namespace holdfast::console {

struct NowView;

class NowRoutes {
public:
    /// All outlive it.
    NowRoutes(const Clock& clock, AgentLink& agent, Sessions& sessions)
        : clock_(&clock), agent_(&agent), sessions_(&sessions) {}

    /// It outlives the router.
    void add_to(replicator::Router& router);

private:
    struct Gathering;

    void now(const replicator::HttpRequest& request, replicator::Responder respond);
    void show(Gathering& gathered);
    std::optional<Error> take(Gathering& gathered, NowView& view);

    const Clock* clock_;
    AgentLink* agent_;
    Sessions* sessions_;
    std::int64_t answered_ms_ = 0;  // When the agent last told all; 0: never yet.
};

}  // namespace holdfast::console
