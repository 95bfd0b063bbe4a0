// A node's own failover with witnesses: its replicator, and partners' that keep its terms.
#include "agent/failover/approval.h"
#include "agent/failover/holder.h"
#include "agent/failover/report.h"
#include "agent/failover/terms.h"
#include "agent/failover/witnesses.h"
#include "agent/host/room.h"
#include "tests/agent/failover/failover_home.h"
#include "tests/replicator/peer/test_trust.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;
using replicator::test::must;
using replicator::test::RunningReplicator;
using replicator::test::TestTrust;
using vault::Role;

namespace {

replicator::ReplicatorSettings settings_of(const Home& home, const NodeSettings& node) {
    const std::string at = "127.0.0.1:" + std::to_string(replicator::test::free_port());
    return {home.vault, home.tenants, home.state, home.keys, home.run,
            node.trust, node.name,    at,         at,        0};
}

/// A node with "letters", Ada and Ben, whose one agreement names three witnesses.
struct Scene {
    Scene() {
        node.add_letters();
        ada = node.add_person("Ada", {Role::Approver});
        ben = node.add_person("Ben", {Role::Operator});
        const auto opened = open_node(node.home());
        REQUIRE(opened);
        trust = opened->settings.trust;
        running.emplace(settings_of(node.home(), opened->settings));
        for (TestTrust* one : {&trumpton, &chigley, &pippin}) join(*one);
        agree(*opened);
        replicator::test::pair_up(chigley, trumpton);
        for (TestTrust* one : {&trumpton, &chigley, &pippin}) bring_papers(*one);
    }

    void join(TestTrust& partner) {
        partner.start();
        const std::string invitation = must(partner.control().invite());
        must(control().accept(invitation));
    }

    void agree(const Node& own) {
        replicator::Agreement terms;
        terms.owner = trust;
        terms.host = trumpton.id();
        terms.quota_bytes = 1_GiB;
        terms.valid_from = system_clock().wall_ms() - 1000;
        terms.valid_to = terms.valid_from + 1'000'000'000;
        terms.witnesses = {trumpton.id(), chigley.id(), pippin.id()};
        vault::Record record = must(replicator::agreement_record(terms));
        vault::sign(record, own.keys.office);
        vault::sign(record, trumpton.officer());
        REQUIRE(must(control().put_agreement(vault::encode(record))).delivered);
    }

    void bring_papers(const TestTrust& to) {
        for (const Buffer& paper : must(person_records(node.home()))) {
            must(control().put_paper(to.id(), paper));
        }
    }

    replicator::ControlClient control() const {
        return must(replicator::ControlClient::make(node.home().run));
    }

    /// Orders a failover and waits until it asks for signatures.
    Run ordered(Engine& engine) {
        RunOrder order;
        order.system = "letters";
        const Run run = must(engine.order_failover(order));
        const Run proven = must(engine.wait(run.id, run_ms_max));
        INFO(run_json(proven));
        REQUIRE(proven.state == RunState::Waiting);
        return proven;
    }

    /// Both sign and attest the fence; waits for what comes of it.
    Run approved(Engine& engine, const Run& run) {
        must(node.approve(engine, run.id, ada, "it is off"));
        must(node.approve(engine, run.id, ben, "I saw it"));
        return must(engine.wait(run.id, run_ms_max, [](const Run& now) {
            return now.reached("witness") && Engine::settled(now);
        }));
    }

    /// One person's word in place of the witnesses.
    Result<void> vouch(Engine& engine, const Run& run, const TestPerson& person,
                       const std::string& question) const {
        vault::Record order = must(order_of(engine.store(), run));
        const Holder holder = must(parse_holder(order));
        vault::Record words = attestation_record(
            {holder_digest(order), question, "I called them all", 1, std::string(about_witnesses)},
            holder.host, holder.term);
        vault::sign(words, person.key);
        vault::sign(order, person.key);
        return engine.approve(run.id, vault::encode(order), vault::encode(words));
    }

    /// A term that Trumpton takes without us, signed by our people.
    Buffer term_at_trumpton(std::uint64_t number) const {
        Holder holder;
        holder.owner = trust;
        holder.system = "letters";
        holder.term = number;
        holder.host = trumpton.id();
        holder.node = "node-1";
        holder.run = "letters-failover-7";
        vault::Record record = replicator::holder_record(holder);
        vault::sign(record, trumpton.ledger_key());
        vault::sign(record, ada.key);
        vault::sign(record, ben.key);
        return vault::encode(record);
    }
    void witness_at_chigley(std::uint64_t number) {
        const auto reply = must(control().witness(chigley.id(), term_at_trumpton(number)));
        REQUIRE(reply.kind == WitnessReply::Kind::Witnessed);
    }

    FailoverHome node;
    TrustId trust;
    TestPerson ada, ben;
    TestTrust trumpton{"Trumpton"};
    TestTrust chigley{"Chigley"};
    TestTrust pippin{"Pippin"};
    std::optional<RunningReplicator> running;
};

std::size_t outcomes(const Run& run, const std::string& outcome) {
    std::size_t count = 0;
    for (const WitnessFact& one : run.facts.witnesses) count += one.outcome == outcome ? 1 : 0;
    return count;
}

}  // namespace

TEST_CASE("a term is opened when a majority of the witnesses keeps it", "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    SECTION("all of them") {}
    SECTION("or all but one, which is away") {
        scene.pippin.stop();
    }
    const auto engine = scene.node.engine();
    const Run open = scene.approved(*engine, scene.ordered(*engine));
    INFO(run_json(open));
    REQUIRE(open.state == RunState::Succeeded);
    CHECK(outcomes(open, "witnessed") >= 2);
    CHECK(open.facts.witnesses.size() == 3);
    CHECK(report_text(open).find("Chigley") != std::string::npos);
    CHECK(report_text(open).find("keeps this term") != std::string::npos);
    const Buffer kept = must(scene.control().newest_at(scene.chigley.id(), scene.trust, "letters"));
    CHECK(must(parse_holder(must(vault::parse_record(kept)))).run == open.name());
    must(engine->stop(open.id));
    must(engine->wait(open.id, run_ms_max,
                      [](const Run& now) { return now.state == RunState::Closed; }));
}

TEST_CASE("without a majority two people must say in words what no witness can",
          "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    scene.chigley.stop();
    scene.pippin.stop();
    const auto engine = scene.node.engine();
    const Run waiting = scene.approved(*engine, scene.ordered(*engine));
    INFO(run_json(waiting));
    REQUIRE(waiting.state == RunState::Waiting);
    CHECK(waiting.note.find("only 1 of 3 witnesses") != std::string::npos);
    CHECK(waiting.facts.endpoints.empty());
    const std::string question = waiting.facts.question;
    CHECK(question.find("Chigley") != std::string::npos);

    SECTION("their word on the fence does not count, nor an answer to another question") {
        CHECK_FALSE(scene.node.approve(*engine, waiting.id, scene.ada, "it is off"));
        CHECK(scene.vouch(*engine, waiting, scene.ada, "Is it so?").error().code == Errc::Conflict);
    }
    SECTION("one is not enough, even twice") {
        must(scene.vouch(*engine, waiting, scene.ada, question));
        CHECK_FALSE(scene.vouch(*engine, waiting, scene.ada, question));
        const Run still = must(engine->wait(waiting.id, run_ms_max, [](const Run& now) {
            return Engine::settled(now) && now.note.find("Ada does") != std::string::npos;
        }));
        CHECK(still.state == RunState::Waiting);
    }
    SECTION("two are, and the report says so") {
        must(scene.vouch(*engine, waiting, scene.ada, question));
        must(scene.vouch(*engine, waiting, scene.ben, question));
        const Run open = must(engine->wait(waiting.id, run_ms_max,
                                           [](const Run& now) { return is_over(now.state); }));
        INFO(run_json(open));
        REQUIRE(open.state == RunState::Succeeded);
        CHECK(report_text(open).find("without a majority of witnesses") != std::string::npos);
        CHECK(report_text(open).find("I called them all") != std::string::npos);
    }
    SECTION("or a witness comes back") {
        scene.chigley.start();
        const Run open = must(engine->wait(waiting.id, run_ms_max,
                                           [](const Run& now) { return is_over(now.state); }));
        CHECK(open.state == RunState::Succeeded);
        CHECK(outcomes(open, "witnessed") == 2);
    }
}

TEST_CASE("without a replicator nobody knows the witnesses, so people must attest",
          "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    scene.running.reset();
    const auto engine = scene.node.engine();
    const Run waiting = scene.approved(*engine, scene.ordered(*engine));
    REQUIRE(waiting.state == RunState::Waiting);
    CHECK(waiting.facts.question.find("cannot find out") != std::string::npos);
    CHECK(waiting.facts.endpoints.empty());
}

TEST_CASE("the next term is above all that a witness knows", "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    scene.witness_at_chigley(4);
    const auto engine = scene.node.engine();
    const Run open = scene.approved(*engine, scene.ordered(*engine));
    INFO(run_json(open));
    REQUIRE(open.state == RunState::Succeeded);
    CHECK(open.facts.term == 5);
    const auto news = must(learn_terms(scene.node.home(), engine->store(), scene.trust, "letters",
                                       system_clock().wall_ms()));
    CHECK(news.newest_term == 5);
    CHECK(news.majority);
    CHECK(news.alarms.empty());
}

TEST_CASE("a witness that keeps another record of the term stops the run, and both are kept",
          "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    const auto engine = scene.node.engine();
    const Run proven = scene.ordered(*engine);
    REQUIRE(proven.facts.term == 1);
    scene.witness_at_chigley(1);
    const Run stuck = scene.approved(*engine, proven);
    INFO(run_json(stuck));
    REQUIRE(stuck.state == RunState::Stuck);
    CHECK(stuck.note.find("ALARM") != std::string::npos);
    CHECK(stuck.facts.endpoints.empty());
    CHECK(outcomes(stuck, "term_taken") == 1);
    const Buffer theirs = scene.term_at_trumpton(1);
    const auto held = must(engine->store().newest_holder(scene.trust, "letters"));
    REQUIRE(held);
    CHECK(holder_digest(must(vault::parse_record(held->record))) ==
          holder_digest(must(vault::parse_record(theirs))));
    CHECK(must(engine->store().order(stuck.id)).has_value());

    must(engine->abort(stuck.id));
    must(engine->wait(stuck.id, run_ms_max,
                      [](const Run& now) { return now.state == RunState::Aborted; }));
    const Run next = scene.ordered(*engine);
    CHECK(next.facts.term == 2);
}

TEST_CASE("after a restart of the machine a majority lets it open again, and a later term does not",
          "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    std::int64_t id = 0;
    {
        const auto engine = scene.node.engine();
        const Run open = scene.approved(*engine, scene.ordered(*engine));
        REQUIRE(open.state == RunState::Succeeded);
        id = open.id;
    }
    {
        const auto store = must(RunStore::open(scene.node.home().state + "/runs.db"));
        Run run = must(store->run(id));
        run.facts.boot = "another boot";
        must(store->set_facts(id, run.facts));
        must(close_room(scene.node.home().mounts + "/" + run.name(), 1));
    }
    const auto ended = [](const Run& now) {
        return now.state == RunState::Stuck && now.note.find("has ended") != std::string::npos;
    };
    const auto settled = [](const Run& now) {
        return Engine::settled(now) && now.note.find("has ended") == std::string::npos;
    };
    SECTION("no witness knows a later one") {
        const auto engine = scene.node.engine();
        REQUIRE(must(engine->wait(id, run_ms_max, ended)).state == RunState::Stuck);
        must(engine->resume(id));
        const Run again = must(engine->wait(id, run_ms_max, settled));
        INFO(run_json(again));
        CHECK(again.state == RunState::Succeeded);
        CHECK(outcomes(again, "witnessed") == 3);
    }
    SECTION("no majority answers") {
        scene.chigley.stop();
        scene.pippin.stop();
        const auto engine = scene.node.engine();
        REQUIRE(must(engine->wait(id, run_ms_max, ended)).state == RunState::Stuck);
        must(engine->resume(id));
        const Run again = must(engine->wait(id, run_ms_max, settled));
        INFO(run_json(again));
        CHECK(again.state == RunState::Waiting);
        must(scene.vouch(*engine, again, scene.ada, again.facts.question));
        must(scene.vouch(*engine, again, scene.ben, again.facts.question));
        CHECK(must(engine->wait(id, run_ms_max, [](const Run& now) {
                  return is_over(now.state);
              })).state == RunState::Succeeded);
    }
    SECTION("a witness knows a later one") {
        scene.witness_at_chigley(9);
        const auto engine = scene.node.engine();
        const Run stuck = must(engine->wait(
            id, run_ms_max, [](const Run& now) { return now.state == RunState::Stuck; }));
        REQUIRE(stuck.state == RunState::Stuck);
        must(engine->resume(id));
        const Run again = must(engine->wait(id, run_ms_max, settled));
        INFO(run_json(again));
        CHECK(again.state == RunState::Stuck);
        CHECK(again.note.find("ALARM") != std::string::npos);
    }
}

TEST_CASE("a node learns a later term from its witnesses, and shuts its users out",
          "[failover][witness]") {
    if (!can_run_systems()) return;
    Scene scene;
    std::int64_t id = 0;
    {
        const auto engine = scene.node.engine();
        id = scene.approved(*engine, scene.ordered(*engine)).id;
    }
    scene.witness_at_chigley(9);
    const auto engine = scene.node.engine();
    const Run shut = must(
        engine->wait(id, run_ms_max, [](const Run& now) { return now.state == RunState::Stuck; }));
    INFO(run_json(shut));
    CHECK(shut.note.find("TWO COPIES WERE LIVE") != std::string::npos);
}
