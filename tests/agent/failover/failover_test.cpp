#include "agent/failover/approval.h"
#include "agent/failover/holder.h"
#include "agent/failover/terms.h"
#include "agent/host/door.h"
#include "agent/host/room.h"
#include "agent/process/supervised.h"
#include "tests/agent/failover/failover_home.h"

#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <csignal>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;
using vault::Role;

namespace {

/// Orders a failover and waits until it stands still.
Run failover(Engine& engine, const std::string& system = "letters") {
    RunOrder order;
    order.system = system;
    const auto ordered = engine.order_failover(order);
    INFO((ordered ? "" : ordered.error().message));
    REQUIRE(ordered);
    const auto run = engine.wait(ordered->id, run_ms_max);
    REQUIRE(run);
    return *run;
}

/// What people ask is done by the run's own thread: waits for what comes of it.
Run in_state(Engine& engine, std::int64_t id, RunState state) {
    const auto run =
        engine.wait(id, run_ms_max, [&](const Run& now) { return now.state == state; });
    REQUIRE(run);
    return *run;
}

/// By the system itself: a room that was left on a dead mount sees nothing.
bool is_seen_in_room(const std::string& folder, const std::string& path) {
    const auto seen = run_in_room(folder, "nobody", {"/usr/bin/test", "-e", path}, 20'000);
    return seen && seen->ok();
}

}  // namespace

TEST_CASE("a failover opens when two people have signed and attested", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const TestPerson ada = node.add_person("Ada", {Role::Approver});
    const TestPerson ben = node.add_person("Ben", {Role::Operator});
    const auto engine = node.engine();
    const Run waiting = failover(*engine);
    INFO(run_json(waiting));
    REQUIRE(waiting.state == RunState::Waiting);
    CHECK(waiting.step("prove")->state == StepState::Done);
    CHECK_FALSE(waiting.reached("open"));
    REQUIRE(node.approve(*engine, waiting.id, ada, "I pulled the plug"));

    SECTION("the same person again is refused") {
        const auto again = node.approve(*engine, waiting.id, ada, "I pulled the plug");
        REQUIRE_FALSE(again);
        CHECK(again.error().message.find("second person") != std::string::npos);
        REQUIRE(engine->abort(waiting.id));
        CHECK(in_state(*engine, waiting.id, RunState::Aborted).state == RunState::Aborted);
    }
    SECTION("a stranger is refused") {
        const TestPerson eve{"Eve", vault::SigningKey::make(vault::system_random())};
        const auto refused = node.approve(*engine, waiting.id, eve, "it is off");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::Denied);
        REQUIRE(engine->abort(waiting.id));
        CHECK(in_state(*engine, waiting.id, RunState::Aborted).state == RunState::Aborted);
        CHECK(node.remains() == "");
    }
    SECTION("it waits for the second attestation, then opens") {
        REQUIRE(node.approve(*engine, waiting.id, ben, ""));
        const auto fenced = engine->wait(waiting.id, run_ms_max, [](const Run& run) {
            return run.reached("fence") && Engine::settled(run);
        });
        REQUIRE(fenced);
        CHECK(fenced->state == RunState::Waiting);
        CHECK_FALSE(fenced->reached("open"));
        REQUIRE(node.approve(*engine, waiting.id, ben, "I stood beside her"));
        const Run open = in_state(*engine, waiting.id, RunState::Succeeded);
        INFO(run_json(open));
        REQUIRE(open.state == RunState::Succeeded);
        CHECK(open.facts.term == 1);
        REQUIRE(open.facts.endpoints.size() == 1);
        CHECK(path_exists(node.home().run + "/endpoints/" + open.owner.hex() + "/letters.json"));
        const std::string folder = node.home().mounts + "/" + open.name();
        CHECK(*is_room_open(folder));

        // Nothing may hold the same or an older term.
        CHECK(may_open(engine->store(), open.owner, "letters", 1, open.name()));
        CHECK_FALSE(may_open(engine->store(), open.owner, "letters", 1, "another-run"));
        const auto abort = engine->abort(open.id);
        REQUIRE_FALSE(abort);
        CHECK(abort.error().code == Errc::Conflict);
        RunOrder again;
        again.system = "letters";
        CHECK_FALSE(engine->order_failover(again));

        REQUIRE(engine->stop(open.id));
        CHECK(in_state(*engine, open.id, RunState::Closed).state == RunState::Closed);
        CHECK_FALSE(*is_room_open(folder));
        CHECK(path_exists(folder + "/overlay"));  // What was written stays.
        const Run next = failover(*engine);
        CHECK(next.facts.term == 2);
        REQUIRE(engine->abort(next.id));
        CHECK(in_state(*engine, next.id, RunState::Aborted).state == RunState::Aborted);
    }
}

TEST_CASE("an abort undoes all", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const auto engine = node.engine();
    const Run waiting = failover(*engine);
    REQUIRE(waiting.state == RunState::Waiting);
    REQUIRE(engine->abort(waiting.id));
    const Run aborted = in_state(*engine, waiting.id, RunState::Aborted);
    INFO(run_json(aborted));
    CHECK(aborted.state == RunState::Aborted);
    CHECK(aborted.step("start")->state == StepState::Undone);
    CHECK(node.remains() == "");
    CHECK_FALSE(engine->store().newest_holder(aborted.owner, "letters")->has_value());
}

TEST_CASE("a paused run goes on when resumed", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const auto engine = node.engine();
    RunOrder order;
    order.system = "letters";
    const auto ordered = engine->order_drill(order);
    REQUIRE(ordered);
    REQUIRE(engine->pause(ordered->id));
    CHECK(in_state(*engine, ordered->id, RunState::Paused).state == RunState::Paused);
    REQUIRE(engine->resume(ordered->id));
    CHECK(in_state(*engine, ordered->id, RunState::Succeeded).state == RunState::Succeeded);
    CHECK(node.remains() == "");
}

TEST_CASE("a sealed system that dies before it is opened is told, and starts again when resumed",
          "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const TestPerson ada = node.add_person("Ada", {Role::Approver});
    const TestPerson ben = node.add_person("Ben", {Role::Operator});
    const auto engine = node.engine();
    const Run waiting = failover(*engine);
    const std::string folder = node.home().mounts + "/" + waiting.name();
    const std::int64_t first_proof_ms = waiting.facts.proven_ms;
    REQUIRE(first_proof_ms != 0);
    std::string said;
    SECTION("its mount is killed") {
        const auto pid = find_process({folder, "mount-documents"});
        REQUIRE(pid);
        REQUIRE(pid->has_value());
        REQUIRE(::kill(**pid, SIGKILL) == 0);
        said = "its mount died";
    }
    SECTION("it ends by itself") {
        REQUIRE(close_room(folder, 1));
        said = "the system has ended";
    }
    const Run dead = in_state(*engine, waiting.id, RunState::Stuck);
    INFO(run_json(dead));
    REQUIRE(dead.state == RunState::Stuck);
    CHECK(dead.note.find(said) != std::string::npos);
    // Signatures are taken meanwhile; nothing is opened by them.
    REQUIRE(node.approve(*engine, waiting.id, ada, "off"));
    REQUIRE(node.approve(*engine, waiting.id, ben, "off"));
    CHECK(engine->store().run(waiting.id)->facts.opened_ms == 0);
    CHECK_FALSE(*engine->store().newest_holder(waiting.owner, waiting.system));

    REQUIRE(engine->resume(waiting.id));
    const Run open = in_state(*engine, waiting.id, RunState::Succeeded);
    INFO(run_json(open));
    CHECK(open.state == RunState::Succeeded);
    CHECK(open.facts.proven_ms > first_proof_ms);
    CHECK(*is_room_open(folder));
    CHECK(is_seen_in_room(folder, folder + "/tree/documents"));
    CHECK(*is_door_open(folder, "letters"));
}

TEST_CASE("an approver who is new waits a day", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    REQUIRE(end_founding(node.home(), system_clock().wall_ms() - 1000));
    const TestPerson ada = node.add_person("Ada", {Role::Approver});
    const auto engine = node.engine();
    const Run waiting = failover(*engine);
    const auto refused = node.approve(*engine, waiting.id, ada, "it is off");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("new as an approver") != std::string::npos);
    REQUIRE(engine->abort(waiting.id));
    CHECK(in_state(*engine, waiting.id, RunState::Aborted).state == RunState::Aborted);
}

TEST_CASE("an older term is refused when a newer one is known", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    const auto engine = node.engine();
    const TrustId owner = vault::system_random().id<TrustId>();
    Holder holder;
    holder.owner = owner;
    holder.system = "epr";
    holder.term = 3;
    holder.node = "trumpton-1";
    holder.run = "epr-failover-9";
    vault::Record record = holder_record(holder);
    vault::sign(record, vault::SigningKey::make(vault::system_random()));
    REQUIRE(learn_holder(engine->store(), vault::encode(record)));
    const auto older = may_open(engine->store(), owner, "epr", 2, "epr-failover-1");
    REQUIRE_FALSE(older);
    CHECK(older.error().message.find("trumpton-1") != std::string::npos);
    CHECK(may_open(engine->store(), owner, "epr", 4, "epr-failover-1"));

    holder.node = "somebody-else";
    vault::Record other = holder_record(holder);
    vault::sign(other, vault::SigningKey::make(vault::system_random()));
    const auto twin = learn_holder(engine->store(), vault::encode(other));
    REQUIRE_FALSE(twin);
    CHECK(twin.error().code == Errc::Conflict);
}

TEST_CASE("an open system is looked after, and starts again over what was written", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const TestPerson ada = node.add_person("Ada", {Role::Approver});
    const TestPerson ben = node.add_person("Ben", {Role::Operator});
    std::int64_t id = 0;
    std::string folder;
    {
        const auto engine = node.engine();
        id = failover(*engine).id;
        REQUIRE(node.approve(*engine, id, ada, "off"));
        REQUIRE(node.approve(*engine, id, ben, "off"));
        const Run open = in_state(*engine, id, RunState::Succeeded);
        REQUIRE(open.state == RunState::Succeeded);
        folder = node.home().mounts + "/" + open.name();
        node.write(folder + "/tree/documents/new.txt", "written while open");
    }
    CHECK(*is_room_open(folder));  // It does not need the agent.
    CHECK(*is_door_open(folder, "letters"));
    const auto engine = node.engine();
    SECTION("a door that died is opened again") {
        REQUIRE(close_door(folder, "letters"));
        const auto again = engine->wait(
            id, run_ms_max, [&](const Run&) { return *is_door_open(folder, "letters"); });
        REQUIRE(again);
        CHECK(*is_door_open(folder, "letters"));
        CHECK(again->state == RunState::Succeeded);
    }
    SECTION("a system that ended waits for a person, then has all that was written") {
        REQUIRE(close_room(folder, 1));
        CHECK(in_state(*engine, id, RunState::Stuck).state == RunState::Stuck);
        CHECK_FALSE(engine->abort(id));  // Its term is taken: there is no way back.
        REQUIRE(engine->resume(id));
        const Run open = in_state(*engine, id, RunState::Succeeded);
        INFO(run_json(open));
        CHECK(open.state == RunState::Succeeded);
        CHECK(open.facts.term == 1);
        CHECK(*is_room_open(folder));
        CHECK(*is_door_open(folder, "letters"));
        CHECK(path_exists(folder + "/tree/documents/new.txt"));
    }
    SECTION("a mount that was killed takes the system with it, until a person resumes") {
        const auto pid = find_process({folder, "mount-documents"});
        REQUIRE(pid);
        REQUIRE(pid->has_value());
        REQUIRE(::kill(**pid, SIGKILL) == 0);
        const Run dead = in_state(*engine, id, RunState::Stuck);
        CHECK(dead.note.find("its mount died") != std::string::npos);
        REQUIRE(engine->resume(id));
        CHECK(in_state(*engine, id, RunState::Succeeded).state == RunState::Succeeded);
        CHECK(path_exists(folder + "/tree/documents/new.txt"));
        CHECK(*is_room_open(folder));
        CHECK(is_seen_in_room(folder, folder + "/tree/documents/new.txt"));
    }
    SECTION("users are shut out when a newer term is known") {
        Holder newer;
        newer.owner = engine->store().run(id)->owner;
        newer.system = "letters";
        newer.term = 2;
        newer.node = "trumpton-1";
        newer.run = "letters-failover-1";
        vault::Record record = holder_record(newer);
        vault::sign(record, ada.key);
        const auto alone =
            take_holder(node.home(), engine->store(), vault::encode(record), 1'790'000'000'000);
        REQUIRE_FALSE(alone);  // One person is not two.
        vault::sign(record, ben.key);
        REQUIRE(take_holder(node.home(), engine->store(), vault::encode(record),
                            system_clock().wall_ms()));
        const Run shut = in_state(*engine, id, RunState::Stuck);
        CHECK(shut.note.find("trumpton-1") != std::string::npos);
        CHECK_FALSE(*is_door_open(folder, "letters"));
        CHECK(path_exists(folder + "/tree/documents/new.txt"));
    }
    REQUIRE(engine->stop(id));
    CHECK(in_state(*engine, id, RunState::Closed).state == RunState::Closed);
}
