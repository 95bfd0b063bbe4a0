// Prune view: plans, and what was done, for people and for programs. For .cpp files only (JSON).
#pragma once

#include "agent/cli/prune_plan.h"
#include "vault/base/json.h"
#include "vault/prune/carry_over.h"
#include "vault/prune/erase.h"
#include "vault/prune/repack.h"

#include <string>

namespace holdfast::agent::cli {

Json to_json(const SystemPlan& plan);
Json to_json(const vault::EraseReport& erased);
Json to_json(const vault::RepackReport& moved);
Json to_json(const vault::CarryReport& ledger);

/// Lines, each with its newline; of a dry run with every snapshot.
std::string to_text(const SystemPlan& plan, bool dry_run);
/// A line with its newline, or nothing.
std::string to_text(const vault::RepackReport& moved, bool dry_run);
/// Without the last newline.
std::string to_text(const vault::EraseReport& erased, bool dry_run);
/// A line with a newline before it, or nothing.
std::string to_text(const vault::CarryReport& ledger, bool dry_run);

}  // namespace holdfast::agent::cli
