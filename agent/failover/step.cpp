#include "agent/failover/step.h"

#include <algorithm>
#include <array>

namespace holdfast::agent {
namespace {

constexpr std::array steps{
    Step{"check", "Is everything there that is needed?", check_plan, nullptr},
    Step{"choose", "Choose the snapshot", choose_snapshot, nullptr},
    Step{"attach", "Show the snapshot as folders that can be written", attach_chosen,
         detach_chosen},
    Step{"start", "Start the system, sealed off from everything", start_sealed, stop_sealed},
    Step{"prove", "Ask the system whether its content is right", prove, nullptr, true},
    Step{"clean-up", "Leave nothing behind", clean_up, nullptr},
    Step{"authorise", "Two people sign the order", authorise, nullptr, true},
    Step{"fence", "Two people attest that the old side cannot write", fence, nullptr, true},
    Step{"catch-up", "Is there anything newer?", catch_up, nullptr, true},
    Step{"witness", "A majority of the witnesses keeps this term", witness, nullptr, true},
    Step{"open", "Let users in", open_to_users, close_to_users, true},
    Step{"switch", "Lead the users' connections here", switch_users, switch_back, true},
    Step{"report", "Write and sign the report", write_report, nullptr},
};

}  // namespace

const Step& step_named(std::string_view name) {
    const auto at = std::find_if(steps.begin(), steps.end(),
                                 [&](const Step& step) { return step.name == name; });
    HF_ASSERT(at != steps.end());
    return *at;
}

}  // namespace holdfast::agent
