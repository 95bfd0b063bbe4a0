// Relay wire: the answer of GET /relays on the control socket, both ways.
//
//     {"relays": [{"listen", "partner", "partner_name", "system", "endpoint", "state", "problem",
//      "open", "carried", "last_error", "last_error_ms"}], "problem"}
//
// `state` is "listening" or "failed".
#pragma once

#include "replicator/http/router.h"
#include "replicator/relay/relays.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

struct RelayReport {
    std::vector<RelayInfo> relays;
    std::string problem;  // Why the list cannot be read; empty: it can.
};

std::string encode(const RelayReport& report);
/// Errors: Invalid.
Result<RelayReport> parse_relay_report(View json);

/// `relays` outlives the router.
void add_relay_routes(Router& router, const Relays& relays);

}  // namespace holdfast::replicator
