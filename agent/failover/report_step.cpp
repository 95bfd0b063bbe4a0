// report: what happened, signed by this node, for whoever asks later.
//
//     HOME/state/evidence/RUN.record   a record of type "evidence", signed by the node's ledger
//     key;
//                                      its body is the run as JSON
//     HOME/state/evidence/RUN.txt      the same for people
//     the ledger                       a fact of type "run" with the record's digest
#include "agent/failover/plan.h"
#include "agent/failover/report.h"
#include "agent/node/node.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/keys/record.h"

namespace holdfast::agent {
namespace {

std::string folder_of(const Home& home) {
    return home.state + "/evidence";
}

/// What the run came to, seen from its last step.
RunState outcome_of(const Run& run) {
    if (!run.facts.failure.empty()) return RunState::Failed;
    return RunState::Succeeded;
}

Result<void> keep_readiness(StepContext& context) {
    const Run& run = context.run;
    const bool own = run.owner == HF_TRY(load_node(context.home)).trust;
    if (run.kind != RunKind::Drill || !own) return {};  // A partner's drill says nothing of ours.
    const StepRecord* cleaned = run.step("clean-up");
    return context.store.set_readiness(
        run.system,
        {run.id, context.clock.wall_ms(), run.facts.plan_hash, run.facts.failure.empty(),
         cleaned != nullptr && cleaned->state == StepState::Done});
}

Result<void> keep_in_ledger(const StepContext& context, const Digest& digest) {
    const Node node = HF_TRY(open_node(context.home));
    const Run& run = context.run;
    const Json fact{{"type", "run"},
                    {"run", run.name()},
                    {"kind", name_of(run.kind)},
                    {"system", run.system},
                    {"owner", run.owner.hex()},
                    {"snapshot", run.facts.snapshot},
                    {"term", run.facts.term},
                    {"outcome", run.facts.failure.empty() ? "succeeded" : run.facts.failure},
                    {"evidence", digest.hex()}};
    HF_TRY(node.vault->record_fact(json_text(fact)));
    return {};
}

}  // namespace

Result<StepResult> write_report(StepContext& context) {
    Run told = context.run;
    told.state = outcome_of(told);
    told.ended_ms = context.clock.wall_ms();
    const AgentKeys keys = HF_TRY(read_agent_keys(context.home.keys));
    vault::Record record{
        "evidence", Digest{}, static_cast<std::uint64_t>(told.id), run_json(told), {}};
    vault::sign(record, keys.ledger);
    const Buffer bytes = vault::encode(record);
    const std::string stem = folder_of(context.home) + "/" + told.name();
    HF_TRY(make_folders(folder_of(context.home)));
    HF_TRY(write_file_durably(stem + ".record", bytes));
    HF_TRY(write_file_durably(stem + ".txt", as_view(report_text(told))));
    fault_point("evidence written");
    HF_TRY(keep_readiness(context));
    HF_TRY(keep_in_ledger(context, vault::record_digest(bytes)));
    context.run.facts.evidence = stem + ".txt";
    return StepResult{true, "the report is " + stem + ".txt"};
}

}  // namespace holdfast::agent
