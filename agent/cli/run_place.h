// Run place: the agent that executes a run: this node's, or a partner's through the link.
//
// Paths are those of docs/control-api.md ("/runs/7"); at a partner they are the same below our
// tenancy there, and name our runs alone. Blocks; belongs to one thread.
#pragma once

#include "agent/config/home.h"
#include "agent/control/client.h"
#include "replicator/control/control_client.h"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::agent::cli {

class RunPlace {
public:
    /// `at`: a partner's name or id; empty: here. Errors: Unreachable (the node does not run),
    /// NotFound, Invalid (no such partner).
    static Result<RunPlace> open(const Home& home, const std::string& at);

    /// Errors: what the agent there refused with; Unreachable (says which end).
    Result<std::string> get(const std::string& path);
    Result<std::string> post(const std::string& path, std::string_view json);

    /// None: here.
    const std::optional<replicator::PartnerInfo>& partner() const { return partner_; }
    /// "here", or the partner's name.
    std::string name() const { return partner_ ? partner_->name : "here"; }
    /// " --at Trumpton", for the next command that a person is told; empty: here.
    std::string option() const;
    replicator::ControlClient& replicator() { return *replicator_; }

private:
    RunPlace() = default;

    std::optional<ControlClient> agent_;
    std::optional<replicator::ControlClient> replicator_;
    std::optional<replicator::PartnerInfo> partner_;
};

}  // namespace holdfast::agent::cli
