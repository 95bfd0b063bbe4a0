#include "console/pages/pages.h"

#include "console/pages/judge.h"
#include "console/pages/templates.h"
#include "console/pages/words.h"

#include <kainjow/mustache.hpp>

namespace holdfast::console {
namespace {

using kainjow::mustache::data;

/// The text, or, for an empty one, what a template's section takes for absent.
data text_or_none(const std::string& text) {
    return text.empty() ? data(false) : data(text);
}

std::string render(std::string_view html, const data& values) {
    kainjow::mustache::mustache page{std::string(html)};
    HF_ASSERT(page.is_valid());  // The templates are part of the program.
    return page.render(values);
}

std::string frame(const std::string& title, const std::string& body, data values) {
    values.set("page_title", title);
    values.set("body", body);
    return render(frame_html(), values);
}

const char* level_word(Level level) {
    switch (level) {
        case Level::Good:
            return "good";
        case Level::Look:
            return "look";
        case Level::Act:
            return "act";
    }
    return "act";
}

struct State {
    const char* word;
    const char* tag;
};
State state_of(Level level) {
    switch (level) {
        case Level::Good:
            return {"As promised", "nhsuk-tag--green"};
        case Level::Look:
            return {"Deserves a look", "nhsuk-tag--yellow"};
        case Level::Act:
            return {"Needs you", "nhsuk-tag--red"};
    }
    return {"Needs you", "nhsuk-tag--red"};
}

std::string copy_text(const CopyFacts& copy, std::int64_t now_ms) {
    if (copy.proven == Proven::None || copy.snapshot_ms == 0) {
        return copy.proven == Proven::Unknown ? "unknown" : "no copy signed for yet";
    }
    const std::string age = "data " + span_text(now_ms - copy.snapshot_ms) + " old, ";
    switch (copy.proven) {
        case Proven::Receipted:
            return age + "signed for since " + day_and_time(copy.receipt_ms);
        case Proven::Stored:
            return age + (copy.here ? "stored on this node" : "stored");
        case Proven::None:
        case Proven::Unknown:
            break;
    }
    return age + "how far proven: unknown";
}

data copies_data(const SystemFacts& system, const std::string& own, std::int64_t now_ms) {
    data list(data::type::list);
    const auto add = [&](const std::string& place, const std::string& text) {
        data one;
        one.set("place", place);
        one.set("copy", text);
        list.push_back(one);
    };
    if (system.copies) {
        for (const CopyFacts& copy : *system.copies) add(copy.place, copy_text(copy, now_ms));
    } else if (system.snapshot_ms != 0) {
        add(own, copy_text({own, true, Proven::Stored, system.snapshot_ms, 0}, now_ms));
    }
    if (!system.copies || !system.copies_unknown.empty()) add("At partners", "unknown");
    return list;
}

std::string drill_text(const SystemFacts& system) {
    if (!system.drill) return "";
    const DrillFacts& drill = *system.drill;
    std::string text = (drill.passed ? "passed on " : "failed on ") + day_and_time(drill.ended_ms);
    if (!drill.time_to_proof_ms) return text;
    const std::int64_t took = *drill.time_to_proof_ms;
    text += ", proven " + (took < 1000 ? "in less than a second" : "after " + span_text(took));
    return text;
}

std::string readiness_text(const SystemFacts& system) {
    if (system.readiness == "ready") return "Ready";
    if (system.readiness == "stale") return "Changed since";
    if (system.readiness == "broken") return "Failed";
    if (system.readiness == "never drilled") return "Never drilled";
    return system.readiness == "no plan" ? "No plan to run it" : "Unknown";
}

std::string held_text(const SystemFacts& system) {
    if (!system.holder.empty()) return system.holder;
    return "no term yet: " + (system.supplier.empty() ? std::string("where it always ran")
                                                      : "with " + system.supplier);
}

data relays_data(const SystemFacts& system) {
    data list(data::type::list);
    for (const RelayFacts& relay : system.relays) {
        if (!relay.listening) continue;  // That is a reason of the verdict.
        data one;
        one.set("listen", relay.listen);
        one.set("place", relay.place);
        list.push_back(one);
    }
    return list;
}

data system_data(const SystemFacts& system, const NodeFacts& node) {
    const Verdict verdict = judge(system, node.time_ms);
    const State state = state_of(verdict.level);
    data reasons(data::type::list);
    for (const std::string& reason : verdict.reasons) reasons.push_back(data("reason", reason));
    data out;
    out.set("name", system.name);
    out.set("title", system.called());
    out.set("supplier", text_or_none(system.supplier));
    out.set("state", state.word);
    out.set("tag", state.tag);
    out.set("reasons", reasons);
    out.set("age",
            system.snapshot_ms == 0 ? "No snapshot" : span_text(node.time_ms - system.snapshot_ms));
    out.set("promise", system.data_age_ms_max ? "promised: " + span_text(*system.data_age_ms_max)
                                              : "nothing promised");
    out.set("copies", copies_data(system, node.trust, node.time_ms));
    out.set("readiness", readiness_text(system));
    out.set("drill", drill_text(system));
    out.set("held", held_text(system));
    out.set("relays", relays_data(system));
    return out;
}

std::string run_says(const RunFacts& run) {
    if (!run.drill && run.state == "succeeded") {
        return "Open to its users here since " + day_and_time(run.opened_ms) + ", under term " +
               std::to_string(run.term) + ".";
    }
    std::string text = run.drill ? "In isolation: it touches nothing real. " : "In earnest. ";
    text += "Now " + run.state;
    return text + (run.step.empty() ? "." : ", at the step \"" + run.step + "\".");
}

data run_data(const RunFacts& run, const NodeFacts& node) {
    data out;
    out.set("run_id", std::to_string(run.id));
    out.set("run_class", run.drill ? "hf-run--drill" : "hf-run--failover");
    out.set("run_tag", run.drill ? "nhsuk-tag--grey" : "nhsuk-tag--red");
    out.set("run_kind", run.drill ? "Drill" : "REAL FAILOVER");
    out.set("run_title", run_title(run, node));
    out.set("run_says", run_says(run));
    out.set("run_note", text_or_none(run.note));
    out.set("run_note_word", run.state == "stuck" ? "Stuck:" : "Waits for:");
    out.set("run_ordered", day_and_time(run.ordered_ms));
    out.set("run_by", text_or_none(run.ordered_by));
    return out;
}

bool is_shown(const RunFacts& run) {
    return !run.over || (!run.drill && run.state == "succeeded");
}

data hosted_data(const std::vector<HostedFacts>& hosted) {
    data list(data::type::list);
    for (const HostedFacts& one : hosted) {
        data row;
        row.set("owner", one.owner);
        row.set("kept", one.bytes ? size_text(*one.bytes) : "unknown");
        row.set("quota", one.quota_bytes ? size_text(*one.quota_bytes) : "unknown");
        list.push_back(row);
    }
    return list;
}

void fill_known(const NowView& view, const std::vector<RunFacts>& runs, data& out) {
    const NodeFacts& node = *view.node;
    data systems(data::type::list);
    for (const SystemFacts& system : node.systems) systems.push_back(system_data(system, node));
    data shown(data::type::list);
    for (const RunFacts& run : runs) shown.push_back(run_data(run, node));
    const Truth truth = truth_of(node, runs);
    out.set("level", level_word(truth.level));
    out.set("truth", truth.text);
    out.set("trust", node.trust);
    out.set("node", node.node);
    out.set("systems_shown", !node.systems.empty());
    out.set("systems", systems);
    out.set("runs_shown", !runs.empty());
    out.set("runs", shown);
    out.set("hosted_shown", node.hosted && !node.hosted->empty());
    if (node.hosted) out.set("hosted", hosted_data(*node.hosted));
}

void fill_silent(const NowView& view, data& out) {
    out.set("level", "act");
    out.set("truth", "Nothing is known: " + view.silence + ". It last answered " +
                         (view.answered_ms == 0 ? std::string("before this console was started")
                                                : "on " + day_and_time(view.answered_ms)) +
                         ".");
    out.set("trust", false);
    out.set("runs_shown", false);
}

}  // namespace

std::string now_page(const NowView& view) {
    data values;
    values.set("person", view.person);
    values.set("token", view.form_token);
    values.set("as_of", time_of_day(view.node ? view.node->time_ms : view.now_ms));
    values.set("answered", view.node.has_value());
    if (view.node) {
        std::vector<RunFacts> runs;
        std::copy_if(view.runs.begin(), view.runs.end(), std::back_inserter(runs), is_shown);
        fill_known(view, runs, values);
    } else {
        fill_silent(view, values);
    }
    return frame("Now", render(now_html(), values), values);
}

std::string sign_in_page(const SignInView& view) {
    data values;
    values.set("token", view.form_token);
    values.set("name", view.name);
    values.set("error", text_or_none(view.error));
    values.set("notice", text_or_none(view.notice));
    const std::string body = render(sign_in_html(), values);
    values.set("person", false);
    values.set("trust", false);
    return frame("Sign in", body, values);
}

}  // namespace holdfast::console
