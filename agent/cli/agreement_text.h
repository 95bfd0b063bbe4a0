// Agreement text: an agreement as people read it, and what it still lacks.
#pragma once

#include "replicator/control/control_wire.h"
#include "vault/base/json.h"

#include <string>

namespace holdfast::agent::cli {

/// Both sides of an agreement, as seen from this node.
struct AgreementView {
    const replicator::HeldAgreement* held = nullptr;
    bool we_own = false;
    std::string ours;            // Our trust's name.
    std::string theirs;          // The partner's.
    std::uint64_t in_force = 0;  // The number that holds now between this owner and this host.
    std::vector<std::string> witnesses;  // Their names.
    std::int64_t now_ms = 0;

    const std::string& owner() const { return we_own ? ours : theirs; }
    const std::string& host() const { return we_own ? theirs : ours; }
};

/// "in force", "waiting" (for a signature), "future", "ended" or "replaced".
std::string agreement_state(const AgreementView& view);

/// The terms and what is missing, line by line.
std::string agreement_prose(const AgreementView& view);

Json agreement_json(const AgreementView& view);

}  // namespace holdfast::agent::cli
