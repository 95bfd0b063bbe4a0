// prove: the system, asked in its room whether its content is right.
#include "agent/failover/plan.h"
#include "agent/failover/wording.h"
#include "agent/host/room.h"
#include "vault/base/fault.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr int query_ms_max = 5 * 60'000;
constexpr int command_ms_max = 60 * 60'000;  // It may compare every byte.

class Prover {
public:
    Prover(StepContext& context, const Plan& plan) : context_(context), plan_(plan) {}

    CheckOutcome ask(const CheckSettings& check) {
        const std::int64_t start = context_.clock.steady_ns();
        CheckOutcome outcome;
        outcome.name = check.name;
        auto answered = std::visit([&](const auto& of) { return answer(of, outcome); }, check.of);
        if (!answered) outcome.said = answered.error().message;
        outcome.said.resize(std::min(outcome.said.size(), check_said_bytes_max));
        outcome.took_ms = (context_.clock.steady_ns() - start) / 1'000'000;
        return outcome;
    }

private:
    Result<std::string> query(const std::string& database, const std::string& text) const {
        RoomQuery query;
        query.user = plan_.runtime.user;
        query.socket_dir = context_.run_folder();
        query.port = plan_.port();
        query.database = database;
        query.query = text;
        query.ms_max = query_ms_max;
        return ask_in_room(context_.folder(), query);
    }

    /// The one database that is not the server's own; where there are several, the server's own.
    Result<std::string> database() const {
        const std::string names =
            HF_TRY(query("postgres",
                         "SELECT datname FROM pg_database WHERE datallowconn AND NOT "
                         "datistemplate AND datname <> 'postgres'"));
        const bool one = !names.empty() && names.find('\n') == std::string::npos;
        return one ? names : std::string("postgres");
    }

    Result<void> answer(const SqlCheckSettings& check, CheckOutcome& outcome) const {
        if (check.source != plan_.runtime.source) {
            return Error{Errc::Invalid,
                         "source " + check.source + " is not what the runtime serves"};
        }
        outcome.said = HF_TRY(query(HF_TRY(database()), check.query));
        outcome.passed = outcome.said == check.expect;
        if (!outcome.passed) {
            outcome.said = "expected \"" + check.expect + "\", got \"" + outcome.said + "\"";
        }
        return {};
    }

    Result<void> answer(const CommandCheckSettings& check, CheckOutcome& outcome) const {
        const Arguments& command = plan_.runtime.commands.at(check.command);
        const CommandResult result =
            HF_TRY(run_in_room(context_.folder(), plan_.runtime.user,
                               HF_TRY(command_of(context_, plan_, command)), command_ms_max));
        outcome.passed = result.ok();
        outcome.said = result.output;
        if (!result.ok()) {
            outcome.said += result.error_tail + " (status " + std::to_string(result.status) + ")";
        }
        return {};
    }

    StepContext& context_;
    const Plan& plan_;
};

}  // namespace

Result<StepResult> prove(StepContext& context) {
    const Plan plan = HF_TRY(plan_of(context));
    std::vector<CheckOutcome>& checks = context.run.facts.checks;
    checks.clear();
    Prover prover(context, plan);
    std::string failed;
    for (const CheckSettings& check : plan.system.checks) {
        if (context.hurry()) return Error{Errc::Interrupted, "stopped while checks ran"};
        checks.push_back(prover.ask(check));
        if (!checks.back().passed) {
            failed += (failed.empty() ? "" : "; ") + check.name + ": " + checks.back().said;
        }
        fault_point("check asked");
    }
    if (!failed.empty()) return Error{Errc::Corrupt, failed};
    context.run.facts.proven_ms = context.clock.wall_ms();
    if (checks.empty()) {
        return StepResult{true, "it answers; the plan has no content checks"};
    }
    return StepResult{true, count_text(checks.size(), "check") + " passed"};
}

}  // namespace holdfast::agent
