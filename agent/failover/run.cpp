#include "agent/failover/run.h"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::agent {
namespace {

template <class Value, std::size_t n>
using Names = std::array<std::pair<Value, std::string_view>, n>;

constexpr Names<RunKind, 2> kinds{{{RunKind::Drill, "drill"}, {RunKind::Failover, "failover"}}};
constexpr Names<RunState, 9> states{{{RunState::Working, "working"},
                                     {RunState::Waiting, "waiting"},
                                     {RunState::Paused, "paused"},
                                     {RunState::Stuck, "stuck"},
                                     {RunState::Undoing, "undoing"},
                                     {RunState::Succeeded, "succeeded"},
                                     {RunState::Failed, "failed"},
                                     {RunState::Aborted, "aborted"},
                                     {RunState::Closed, "closed"}}};
constexpr Names<Asked, 6> askings{{{Asked::Nothing, ""},
                                   {Asked::Pause, "pause"},
                                   {Asked::Resume, "resume"},
                                   {Asked::Abort, "abort"},
                                   {Asked::Stop, "stop"},
                                   {Asked::Look, "look"}}};
constexpr Names<StepState, 6> step_states{{{StepState::Ahead, "ahead"},
                                           {StepState::Begun, "begun"},
                                           {StepState::Done, "done"},
                                           {StepState::Failed, "failed"},
                                           {StepState::Skipped, "skipped"},
                                           {StepState::Undone, "undone"}}};

template <class Value, std::size_t n>
std::string_view name_in(const Names<Value, n>& names, Value value) {
    const auto at = std::find_if(names.begin(), names.end(),
                                 [&](const auto& one) { return one.first == value; });
    HF_ASSERT(at != names.end());
    return at->second;
}

template <class Value, std::size_t n>
Result<Value> value_in(const Names<Value, n>& names, std::string_view name) {
    for (const auto& [value, text] : names) {
        if (text == name) return value;
    }
    return Error{Errc::Corrupt, "unknown word \"" + std::string(name) + "\" in the runs' file"};
}

}  // namespace

std::string_view name_of(RunKind kind) {
    return name_in(kinds, kind);
}
std::string_view name_of(RunState state) {
    return name_in(states, state);
}
std::string_view name_of(StepState state) {
    return name_in(step_states, state);
}
std::string_view name_of(Asked asked) {
    return name_in(askings, asked);
}
Result<RunKind> run_kind(std::string_view name) {
    return value_in(kinds, name);
}
Result<RunState> run_state(std::string_view name) {
    return value_in(states, name);
}
Result<StepState> step_state(std::string_view name) {
    return value_in(step_states, name);
}

bool is_over(RunState state) {
    return state == RunState::Succeeded || state == RunState::Failed ||
           state == RunState::Aborted || state == RunState::Closed;
}

std::string Run::name() const {
    return system + "-" + std::string(name_of(kind)) + "-" + std::to_string(id);
}

const StepRecord* Run::step(std::string_view step_name) const {
    const auto at = std::find_if(steps.begin(), steps.end(),
                                 [&](const StepRecord& one) { return one.name == step_name; });
    return at == steps.end() ? nullptr : &*at;
}

bool Run::reached(std::string_view step_name) const {
    const StepRecord* one = step(step_name);
    return one != nullptr && one->begun_ms != 0;
}

const std::vector<std::string>& steps_of(RunKind kind) {
    static const std::vector<std::string> drill{"check", "choose",   "attach", "start",
                                                "prove", "clean-up", "report"};
    static const std::vector<std::string> failover{"check",   "choose",    "attach", "start",
                                                   "prove",   "authorise", "fence",  "catch-up",
                                                   "witness", "open",      "switch", "report"};
    return kind == RunKind::Drill ? drill : failover;
}

}  // namespace holdfast::agent
