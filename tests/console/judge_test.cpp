#include "console/pages/judge.h"
#include "console/pages/pages.h"
#include "console/pages/words.h"

#include <catch2/catch.hpp>

#include <functional>

using namespace holdfast::console;

namespace {

constexpr std::int64_t now_ms = 1'790'000'000'000;
constexpr std::int64_t minute = 60'000;

SystemFacts good_system() {
    SystemFacts out;
    out.name = "epr";
    out.title = "Patient record";
    out.snapshot_ms = now_ms - 4 * minute;
    out.data_age_ms_max = 15 * minute;
    out.readiness = "ready";
    out.drill = DrillFacts{true, now_ms - 1000 * minute, 12'000};
    out.copies = std::vector<CopyFacts>{
        {"Camberwick Green", true, Proven::Stored, now_ms - 4 * minute, 0},
        {"Trumpton", false, Proven::Receipted, now_ms - 4 * minute, now_ms - 3 * minute}};
    return out;
}

NodeFacts node_with(std::vector<SystemFacts> systems) {
    NodeFacts node;
    node.trust = "Camberwick Green";
    node.trust_id = "aa";
    node.node = "node-1";
    node.time_ms = now_ms;
    node.systems = std::move(systems);
    return node;
}

}  // namespace

TEST_CASE("a system is good only if it is young, signed for and drilled", "[console]") {
    CHECK(judge(good_system(), now_ms).level == Level::Good);
    struct Case {
        Level level;
        const char* reason;
        std::function<void(SystemFacts&)> change;
    };
    const std::vector<Case> cases{
        {Level::Act, "no snapshot", [](auto& s) { s.snapshot_ms = 0; }},
        {Level::Act, "16 minutes old", [](auto& s) { s.snapshot_ms = now_ms - 16 * minute; }},
        {Level::Act, "future", [](auto& s) { s.snapshot_ms = now_ms + minute; }},
        {Level::Act, "unknown", [](auto& s) { s.copies.reset(); }},
        {Level::Act, "no answer", [](auto& s) { s.copies_unknown = "no answer"; }},
        {Level::Act, "drill failed", [](auto& s) { s.readiness = "broken"; }},
        {Level::Act, "readiness: unknown", [](auto& s) { s.readiness = ""; }},
        {Level::Act, "NOT RUNNING",
         [](auto& s) {
             s.open_here = OpenFacts{2, false};
         }},
        {Level::Act, "192.0.2.10:5432 are not led to Trumpton: taken",
         [](auto& s) {
             s.relays = {{"Trumpton", "192.0.2.10:5433", true, ""},
                         {"Trumpton", "192.0.2.10:5432", false, "taken"}};
         }},
        {Level::Look, "never drilled", [](auto& s) { s.readiness = "never drilled"; }},
        {Level::Look, "changed", [](auto& s) { s.readiness = "stale"; }},
        {Level::Look, "no data age", [](auto& s) { s.data_age_ms_max.reset(); }},
        {Level::Look, "only copy", [](auto& s) { s.copies->pop_back(); }},
        {Level::Look, "signed for", [](auto& s) { s.copies->back().proven = Proven::None; }},
        {Level::Look, "20 minutes", [](auto& s) { s.copies->back().snapshot_ms -= 16 * minute; }},
    };
    for (const Case& one : cases) {
        SystemFacts system = good_system();
        one.change(system);
        const Verdict verdict = judge(system, now_ms);
        INFO(one.reason);
        CHECK(verdict.level == one.level);
        REQUIRE(verdict.reasons.size() == 1);
        CHECK(verdict.reasons.front().find(one.reason) != std::string::npos);
    }
}

TEST_CASE("the sentence says how many need people, and what runs where", "[console]") {
    const SystemFacts good = good_system();
    SystemFacts old = good;
    old.title = "Images";
    old.snapshot_ms = now_ms - 200 * minute;
    CHECK(truth_of(node_with({good, good, good}), {}).text ==
          "All 3 systems have copies younger than promised, signed for by a partner and drilled.");
    const Truth truth = truth_of(node_with({good, old}), {});
    CHECK(truth.level == Level::Act);
    CHECK(
        truth.text ==
        "1 of 2 systems needs you: Images (data is 3 hours 20 minutes old, promised: 15 minutes).");
    RunFacts run;
    run.system = "epr";
    run.owner = "aa";
    run.title = "Patient record";
    run.state = "waiting";
    const Truth waiting = truth_of(node_with({good}), {run});
    CHECK(waiting.level == Level::Act);
    CHECK(waiting.text.ends_with("; a failover of Patient record waits for people."));
    run.drill = true;
    run.state = "working";
    const Truth drilling = truth_of(node_with({good}), {run});
    CHECK(drilling.level == Level::Good);
    CHECK(drilling.text.ends_with("; a drill of Patient record is under way."));
    run.drill = false;
    run.state = "succeeded";
    run.over = true;
    run.opened_ms = now_ms;
    CHECK(truth_of(node_with({good}), {run}).text.find("is running here since") !=
          std::string::npos);
    CHECK(truth_of(node_with({}), {}).level == Level::Look);
}

TEST_CASE("times are told by their two largest units", "[console]") {
    CHECK(span_text(0) == "0 seconds");
    CHECK(span_text(-5'000) == "0 seconds");
    CHECK(span_text(1'000) == "1 second");
    CHECK(span_text(61'000) == "1 minute");
    CHECK(span_text(3 * 3'600'000 + 12 * minute + 59'000) == "3 hours 12 minutes");
    CHECK(span_text(24 * 60 * minute) == "1 day");
    CHECK(span_text(50 * 60 * minute + minute) == "2 days 2 hours");
}

TEST_CASE("what comes from settings is text on the page, never markup", "[console]") {
    NowView view;
    view.person = "<b>Ada</b>";
    SystemFacts system = good_system();
    system.title = "<script>alert(1)</script>";
    system.supplier = "\" onload=\"x";
    system.name = "{{token}}";
    view.form_token = "the-token";
    view.node = node_with({system});
    const std::string html = now_page(view);
    CHECK(html.find("<script") == std::string::npos);
    CHECK(html.find("<b>Ada") == std::string::npos);
    CHECK(html.find("\" onload") == std::string::npos);
    CHECK(html.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
    CHECK(html.find("{{token}}") != std::string::npos);
}

TEST_CASE("a silent agent makes a page that says so, and since when", "[console]") {
    NowView view;
    view.person = "Ada";
    view.silence = "the node's agent does not answer";
    view.now_ms = now_ms;
    CHECK(now_page(view).find("Nothing is known") != std::string::npos);
    CHECK(now_page(view).find("before this console was started") != std::string::npos);
    view.answered_ms = now_ms - minute;
    CHECK(now_page(view).find(day_and_time(now_ms - minute)) != std::string::npos);
    CHECK(now_page(view).find("As promised") == std::string::npos);
}
