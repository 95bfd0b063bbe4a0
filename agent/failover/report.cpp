#include "agent/failover/report.h"

#include "agent/failover/wording.h"
#include "vault/base/clock.h"

namespace holdfast::agent {
namespace {

void line(std::string& out, const std::string& label, const std::string& text) {
    if (text.empty()) return;
    out += label + std::string(label.size() < 16 ? 16 - label.size() : 1, ' ') + text + "\n";
}

std::string against(std::int64_t ms, std::int64_t objective_ms) {
    if (objective_ms == 0) return span_text(ms);
    return span_text(ms) +
           (ms <= objective_ms ? ", within the objective of " : ", over the objective of ") +
           span_text(objective_ms);
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " and ") + name;
    return text;
}

void add_measures(std::string& out, const Run& run) {
    const RunFacts& facts = run.facts;
    if (facts.snapshot_ms != 0) {
        line(out, "Data age", against(run.ordered_ms - facts.snapshot_ms, facts.data_age_ms_max));
    }
    if (facts.opened_ms != 0) {
        line(out, "Time to run",
             against(facts.opened_ms - run.ordered_ms, facts.time_to_run_ms_max) +
                 ", waiting for people included");
    }
    if (facts.proven_ms != 0) {
        line(out, "Time to proof",
             against(facts.proven_ms - run.ordered_ms, facts.time_to_run_ms_max));
    }
}

void add_steps(std::string& out, const Run& run) {
    out += "\nSteps\n";
    for (const StepRecord& step : run.steps) {
        if (step.name == "report") continue;
        const std::string took =
            step.ended_ms != 0 ? std::to_string(step.ended_ms - step.begun_ms) + " ms" : "-";
        out += "  " + step.name +
               std::string(step.name.size() < 11 ? 11 - step.name.size() : 1, ' ') +
               std::string(name_of(step.state)) + ", " + took +
               (step.outcome.empty() ? "" : ": " + step.outcome) + "\n";
    }
}

void add_witnesses(std::string& out, const RunFacts& facts) {
    out += "\nWitnesses\n";
    if (facts.witnesses.empty()) out += "  no witness was named, or none could be asked\n";
    for (const WitnessFact& one : facts.witnesses) {
        out += "  " + one.name + " (" + one.trust.substr(0, 12) + "): " +
               (one.outcome == "witnessed" ? "keeps this term" : one.outcome + ", " + one.said) +
               "\n";
    }
}

}  // namespace

std::string report_text(const Run& run) {
    const RunFacts& facts = run.facts;
    std::string out = run.kind == RunKind::Drill ? "REPORT OF A DRILL (nothing was opened)\n\n"
                                                 : "REPORT OF A FAILOVER\n\n";
    line(out, "Run", run.name());
    line(out, "System", facts.title.empty() ? run.system : facts.title + " (" + run.system + ")");
    line(out, "Supplier", facts.supplier);
    line(out, "Outcome", facts.failure.empty() ? "succeeded" : "failed: " + facts.failure);
    line(out, "Ordered", format_time(run.ordered_ms) + " by " + run.ordered_by);
    line(out, "Ended", format_time(run.ended_ms));
    line(out, "Snapshot", facts.snapshot);
    if (facts.snapshot_ms != 0) line(out, "Data as of", format_time(facts.snapshot_ms));
    if (facts.term != 0) line(out, "Term", std::to_string(facts.term));
    add_measures(out, run);
    add_steps(out, run);
    if (!facts.checks.empty()) out += "\nContent checks\n";
    for (const CheckOutcome& check : facts.checks) {
        out += "  " + std::string(check.passed ? "passed" : "FAILED") + ", " +
               std::to_string(check.took_ms) + " ms: " + check.name +
               (check.said.empty() ? "" : ": " + check.said) + "\n";
    }
    if (!facts.people.empty()) out += "\nPeople\n";
    for (const Signatory& person : facts.people) {
        out += "  " + person.name + " (key " + person.key.substr(0, 12) + ") signed" +
               (person.attested.empty() ? "" : ", and attests: " + person.attested) +
               (person.vouched.empty() ? "" : "; in place of witnesses: " + person.vouched) + "\n";
    }
    if (const ReleaseNote& release = facts.release; !release.snapshot.empty()) {
        out += "\nReleased\n  the keys of snapshot " + release.snapshot + "\n  to node " +
               release.node + " of trust " + release.host + "\n  from " +
               format_time(release.time_ms) + " until " + format_time(release.until_ms) +
               "\n  for: " + release.purpose + "\n  signed by " + joined(release.people) + "\n";
    }
    if (facts.term != 0) add_witnesses(out, facts);
    if (!facts.remarks.empty()) out += "\nRemarks\n";
    for (const std::string& remark : facts.remarks) out += "  " + remark + "\n";
    return out;
}

}  // namespace holdfast::agent
