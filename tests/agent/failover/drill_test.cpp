#include "tests/agent/failover/failover_home.h"

#include "vault/base/file.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;

namespace {

Run drill(FailoverHome& node, Engine& engine, const std::string& system = "letters") {
    RunOrder order;
    order.system = system;
    const auto ordered = engine.order_drill(order);
    INFO((ordered ? "" : ordered.error().message));
    REQUIRE(ordered);
    const auto run = engine.wait(ordered->id, run_ms_max);
    REQUIRE(run);
    (void)node;
    return *run;
}

}  // namespace

TEST_CASE("a drill proves the copy, reports, and leaves nothing behind", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const auto engine = node.engine();
    const Run run = drill(node, *engine);
    INFO(run_json(run));
    CHECK(run.state == RunState::Succeeded);
    REQUIRE(run.facts.checks.size() == 1);
    CHECK(run.facts.checks[0].passed);
    for (const StepRecord& step : run.steps) CHECK(step.state == StepState::Done);
    CHECK(run.facts.term == 0);
    CHECK(node.remains() == "");
    const auto report = read_file(run.facts.evidence, 1 << 20);
    REQUIRE(report);
    CHECK(as_text(*report).find("a letter is there") != std::string_view::npos);
    const auto readiness = engine->store().readiness("letters");
    REQUIRE(readiness);
    REQUIRE(readiness->has_value());
    CHECK((*readiness)->passed);
    CHECK((*readiness)->cleaned_up);
}

TEST_CASE("a drill whose check fails says so, and leaves nothing behind", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters("/usr/bin/false");
    const auto engine = node.engine();
    const Run run = drill(node, *engine);
    INFO(run_json(run));
    CHECK(run.state == RunState::Failed);
    CHECK(run.facts.failure.find("a letter is there") != std::string::npos);
    CHECK(run.step("prove")->state == StepState::Failed);
    CHECK(run.step("clean-up")->state == StepState::Done);
    CHECK(node.remains() == "");
    CHECK_FALSE((*engine->store().readiness("letters"))->passed);
}

TEST_CASE("a drill of a system without a snapshot fails with the reason", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const auto engine = node.engine();
    RunOrder order;
    order.system = "letters";
    order.snapshot = "0123456789ab";
    const auto ordered = engine->order_drill(order);
    REQUIRE(ordered);
    const auto run = engine->wait(ordered->id, run_ms_max);
    REQUIRE(run);
    CHECK(run->state == RunState::Failed);
    CHECK(run->facts.failure.find("no snapshot") != std::string::npos);
    CHECK(node.remains() == "");
}

TEST_CASE("a drill never becomes a failover", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const TestPerson ada = node.add_person("Ada", {vault::Role::Approver});
    const auto engine = node.engine();
    RunOrder order;
    order.system = "letters";
    const auto ordered = engine->order_drill(order);
    REQUIRE(ordered);
    const auto signed_it = node.approve(*engine, ordered->id, ada, "it is off");
    REQUIRE_FALSE(signed_it);
    CHECK(signed_it.error().code == Errc::Conflict);
    // The file itself refuses, even if a program asked it to.
    CHECK_FALSE(engine->store().put_order(ordered->id, Buffer{1}));
    CHECK_FALSE(
        engine->store().add_attestation(ordered->id, ada.key.public_key, "fence", Buffer{1}));
    CHECK_FALSE(engine->store().add_holder(ordered->owner, "letters", {1, ordered->id, {1}}));
    REQUIRE(engine->wait(ordered->id, run_ms_max));
}

TEST_CASE("one run of a system at a time", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const auto engine = node.engine();
    RunOrder order;
    order.system = "letters";
    const auto first = engine->order_drill(order);
    REQUIRE(first);
    const auto second = engine->order_failover(order);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::Conflict);
    CHECK(engine->wait(first->id, run_ms_max)->state == RunState::Succeeded);
}
