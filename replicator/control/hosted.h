// Hosted: what this trust keeps for its partners: GET /hosted on the control socket, both ways.
//
//     {"hosted": [{"owner", "owner_name", "agreement", "quota_bytes", "bytes", "objects",
//      "problem"}]}
//
// Listed is who may store here by an agreement in date, and whoever has something here. `agreement`
// and `quota_bytes` are 0 if none is in date. `problem` says why a tenancy cannot be read; its
// sizes are 0 then.
#pragma once

#include "replicator/http/router.h"
#include "replicator/peer/peer_api.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

struct HostedInfo {
    TrustId owner;
    std::string owner_name;
    std::uint64_t agreement = 0;
    std::uint64_t quota_bytes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t objects = 0;
    std::string problem;

    friend bool operator==(const HostedInfo&, const HostedInfo&) = default;
};

std::string encode(const std::vector<HostedInfo>& hosted);
/// Errors: Invalid.
Result<std::vector<HostedInfo>> parse_hosted(View json);

/// What `core` refers to outlives the router.
void add_hosted_routes(Router& router, const Core& core);

}  // namespace holdfast::replicator
