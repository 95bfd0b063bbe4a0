// Prune plan: what is to become of each system's snapshots, by its rules and by what is in use.
#pragma once

#include "agent/config/home.h"
#include "agent/prune/judge.h"
#include "vault/vault_reader.h"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent::cli {

/// Of one system.
struct SystemPlan {
    std::string system;
    std::optional<KeepSettings> rules;  // None: all stay.
    std::string why_none;
    bool unreadable = false;  // Its settings are there, and wrong.
    std::vector<Verdict> verdicts;

    std::size_t kept() const;
    std::size_t doubted() const;
};

/// Of `system`, or of all if that is empty; by the rules `keep` ("daily=7"), or by each system's
/// settings if there are none. Errors: NotFound (no snapshot of the system), Invalid (`keep`), Io.
Result<std::vector<SystemPlan>> plan_prune(const Home& home, const std::string& system,
                                           const std::vector<std::string>& keep,
                                           const vault::VaultReader& reader);

/// Errors: Conflict (a history would become much shorter: shortens_history()).
Result<void> check_large(const std::vector<SystemPlan>& plans);

std::vector<vault::SnapshotId> forgotten_by(const std::vector<SystemPlan>& plans);

}  // namespace holdfast::agent::cli
