// Judge: what the facts about a system amount to.
//
//   act    people must do something: data older than promised, no copy, a drill that failed, an
//          open system that does not run, or what matters is not known
//   look   nothing is wrong yet, but something is unproven
//   good   all of it: as young as promised, signed for by a partner, drilled since the last change
//
// Unknown is never good. A system without a plan is kept, not run: no drill is asked of it.
#pragma once

#include "console/facts/facts.h"

#include <string>
#include <vector>

namespace holdfast::console {

enum class Level { Good, Look, Act };

struct Verdict {
    Level level = Level::Good;
    std::vector<std::string> reasons;  // The gravest first; empty if good.
};

Verdict judge(const SystemFacts& system, std::int64_t now_ms);

/// The one sentence at the top of the page, and how grave it is.
struct Truth {
    Level level = Level::Good;
    std::string text;
};
Truth truth_of(const NodeFacts& node, const std::vector<RunFacts>& runs);

/// Names what a run is about: "Electronic patient record (epr)".
std::string run_title(const RunFacts& run, const NodeFacts& node);

}  // namespace holdfast::console
