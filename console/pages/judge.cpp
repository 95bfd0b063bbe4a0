#include "console/pages/judge.h"

#include "console/pages/words.h"

#include <algorithm>

namespace holdfast::console {
namespace {

constexpr std::size_t named_max = 3;
constexpr std::int64_t skew_ms_max = 2'000;  // Of clocks on one machine, and rounding.

class Reasons {
public:
    void act(std::string what) { acts_.push_back(std::move(what)); }
    void look(std::string what) { looks_.push_back(std::move(what)); }

    Verdict verdict() && {
        Verdict out;
        out.level = !acts_.empty() ? Level::Act : !looks_.empty() ? Level::Look : Level::Good;
        out.reasons = std::move(acts_);
        std::move(looks_.begin(), looks_.end(), std::back_inserter(out.reasons));
        return out;
    }

private:
    std::vector<std::string> acts_, looks_;
};

void judge_age(const SystemFacts& system, std::int64_t now_ms, Reasons& out) {
    if (system.snapshot_ms == 0) return out.act("no snapshot yet");
    const std::int64_t age = now_ms - system.snapshot_ms;
    if (age < -skew_ms_max)
        return out.act("the newest snapshot is dated in the future: a clock is wrong");
    if (!system.data_age_ms_max) return out.look("no data age is promised");
    if (age > *system.data_age_ms_max) {
        out.act("data is " + span_text(age) +
                " old, promised: " + span_text(*system.data_age_ms_max));
    }
}

/// The best that a partner has signed for.
std::int64_t newest_receipted(const std::vector<CopyFacts>& copies) {
    std::int64_t newest = 0;
    for (const CopyFacts& copy : copies) {
        if (!copy.here && copy.proven == Proven::Receipted) {
            newest = std::max(newest, copy.snapshot_ms);
        }
    }
    return newest;
}

void judge_copies(const SystemFacts& system, std::int64_t now_ms, Reasons& out) {
    if (!system.copies || !system.copies_unknown.empty()) {
        return out.act("copies at partners: unknown" + (system.copies_unknown.empty()
                                                            ? std::string()
                                                            : " (" + system.copies_unknown + ")"));
    }
    const bool partners = std::any_of(system.copies->begin(), system.copies->end(),
                                      [](const CopyFacts& copy) { return !copy.here; });
    if (!partners) return out.look("the only copy is on this node");
    const std::int64_t newest = newest_receipted(*system.copies);
    if (newest == 0) return out.look("no partner has signed for a copy yet");
    if (system.data_age_ms_max && now_ms - newest > *system.data_age_ms_max) {
        out.look("the newest copy at a partner is " + span_text(now_ms - newest) + " old");
    }
}

void judge_readiness(const SystemFacts& system, Reasons& out) {
    const std::string& word = system.readiness;
    if (word == "ready" || word == "no plan") return;
    if (word == "broken") return out.act("the last drill failed");
    if (word == "stale") return out.look("changed since its last drill");
    if (word == "never drilled") return out.look("never drilled");
    out.act("readiness: unknown");
}

/// A relay that does not listen leaves users in front of a closed door.
void judge_relays(const SystemFacts& system, Reasons& out) {
    for (const RelayFacts& relay : system.relays) {
        if (relay.listening) continue;
        out.act("users at " + relay.listen + " are not led to " + relay.place +
                (relay.problem.empty() ? "" : ": " + relay.problem));
    }
}

/// "a", "a and b", "a, b and 3 more".
std::string join(const std::vector<std::string>& items) {
    std::string out;
    const std::size_t shown = std::min(items.size(), named_max);
    const std::size_t more = items.size() - shown;
    for (std::size_t i = 0; i < shown; ++i) {
        const bool last = i + 1 == shown && more == 0;
        out += i == 0 ? "" : last ? " and " : ", ";
        out += items[i];
    }
    return more == 0 ? out : out + " and " + std::to_string(more) + " more";
}

std::string age_truth(const NodeFacts& node, Level& level) {
    std::vector<std::string> acts, looks;
    for (const SystemFacts& system : node.systems) {
        const Verdict verdict = judge(system, node.time_ms);
        if (verdict.level == Level::Good) continue;
        auto& list = verdict.level == Level::Act ? acts : looks;
        list.push_back(system.called() + " (" + verdict.reasons.front() + ")");
    }
    const std::string all = count_text(node.systems.size(), "system");
    if (node.systems.empty()) {
        level = Level::Look;
        return "No system is kept here yet";
    }
    if (!acts.empty()) {
        level = Level::Act;
        return std::to_string(acts.size()) + " of " + all +
               (acts.size() == 1 ? " needs you: " : " need you: ") + join(acts);
    }
    if (!looks.empty()) {
        level = Level::Look;
        return "Nothing needs you at once; " + std::to_string(looks.size()) + " of " + all +
               (looks.size() == 1 ? " deserves a look: " : " deserve a look: ") + join(looks);
    }
    return (node.systems.size() == 1 ? "The one system here has copies"
                                     : "All " + all + " have copies") +
           std::string(" younger than promised, signed for by a partner and drilled");
}

/// What a run adds to the sentence; empty if nothing.
std::string run_truth(const RunFacts& run, const NodeFacts& node, Level& level) {
    const std::string title = run_title(run, node);
    if (!run.drill && run.state == "succeeded") {
        return title + " is running here since " + day_and_time(run.opened_ms);
    }
    if (run.over) return {};
    const std::string what = (run.drill ? "a drill of " : "a failover of ") + title;
    if (run.state == "waiting" || run.state == "paused" || run.state == "stuck") {
        level = std::max(level, run.drill ? Level::Look : Level::Act);
        return what + (run.state == "waiting" ? " waits for people" : " is " + run.state);
    }
    return what + " is under way";
}

}  // namespace

Verdict judge(const SystemFacts& system, std::int64_t now_ms) {
    Reasons out;
    if (system.open_here && !system.open_here->running) {
        out.act("it was brought back here, and is NOT RUNNING");
    }
    judge_age(system, now_ms, out);
    judge_copies(system, now_ms, out);
    judge_relays(system, out);
    judge_readiness(system, out);
    return std::move(out).verdict();
}

Truth truth_of(const NodeFacts& node, const std::vector<RunFacts>& runs) {
    Truth out;
    out.text = age_truth(node, out.level);
    for (const RunFacts& run : runs) {
        const std::string more = run_truth(run, node, out.level);
        if (!more.empty()) out.text += "; " + more;
    }
    out.text += ".";
    return out;
}

std::string run_title(const RunFacts& run, const NodeFacts& node) {
    return run.owner == node.trust_id ? run.called() : run.called() + ", a partner's,";
}

}  // namespace holdfast::console
