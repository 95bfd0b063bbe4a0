// Endpoint list: where a system that runs here is reached on this machine, so that its owner's
// relay can be let through to it.
//
//     HOME/run/endpoints/OWNER/SYSTEM.json
//     {"owner", "system", "run", "term", "endpoints": [{"name", "address": "ADDRESS:PORT"}]}
//
// The agent writes it when a run has let users in, and removes it before it shuts them out. It lies
// in run/, since a reboot ends the system too.
#pragma once

#include "replicator/relay/relay_list.h"

#include <cstdint>

namespace holdfast::replicator {

constexpr std::size_t endpoints_max = 64;
constexpr std::size_t endpoints_bytes_max = 64_KiB;

struct RunningEndpoint {
    std::string name;
    std::string address;
};

struct RunningSystem {
    TrustId owner;
    std::string system;
    std::string run;
    std::uint64_t term = 0;
    std::vector<RunningEndpoint> endpoints;
};

/// `run_folder` is HOME/run.
std::string endpoints_path(const std::string& run_folder, const TrustId& owner,
                           const std::string& system);
std::string endpoints_text(const RunningSystem& running);
/// Errors: Corrupt.
Result<RunningSystem> parse_endpoints(std::string_view text);

/// Where `endpoint` of a system of `owner` is reached. Errors: NotFound (it does not run here, or
/// is not open), Denied (the file names another owner or system, or an address that is not this
/// machine's own), Corrupt, Io.
Result<TcpAddress> find_endpoint(const std::string& run_folder, const TrustId& owner,
                                 const std::string& system, const std::string& endpoint);

}  // namespace holdfast::replicator
