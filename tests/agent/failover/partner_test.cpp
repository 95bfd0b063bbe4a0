// The owner is gone; a partner runs their system: envelope, shares, the owner's own people.
#include "agent/failover/tenancy.h"
#include "agent/people/custody_files.h"
#include "tests/agent/failover/two_trusts.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;
using vault::Role;

namespace {

struct TestCustodian {
    std::string name;
    vault::BoxKey key = vault::BoxKey::make(vault::system_random());
};

Buffer share_of(const FailoverHome& host, const TrustId& owner, const TestCustodian& custodian) {
    const auto store = vault::PosixStore::open(tenancy_vault(host.home(), owner));
    REQUIRE(store);
    const auto roster = vault::read_roster(*store, owner);
    REQUIRE(roster);
    const auto envelope = find_envelope(host.home(), owner, "letters", *roster);
    REQUIRE(envelope);
    const auto share = vault::open_share(envelope->set, custodian.key);
    REQUIRE(share);
    return vault::hand_over(*share, envelope->host_key);
}

}  // namespace

TEST_CASE("a partner runs a system whose owner is gone", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome owner;
    FailoverHome host;
    owner.add_letters();
    const TestPerson ada = owner.add_person("Ada", {Role::Approver});
    const TestPerson ben = owner.add_person("Ben", {Role::Operator});
    const TestPerson mole = host.add_person("Mole", {Role::Approver});
    std::vector<TestCustodian> custodians(3);
    for (std::size_t i = 0; i < custodians.size(); ++i) {
        custodians[i].name = "custodian " + std::to_string(i);
        REQUIRE(add_custodian(owner.home(), {custodians[i].name, custodians[i].key.public_key}));
    }
    const TrustId host_trust = opened(host.home()).settings.trust;
    {
        const Node own = opened(owner.home());
        REQUIRE(make_host_envelope(own, "letters",
                                   {host_trust, opened(host.home()).keys.box.public_key}, 2,
                                   system_clock().wall_ms(), vault::system_random()));
    }
    const TrustId trust = opened(owner.home()).settings.trust;
    bring(owner, host);
    lend_runtime(owner, host);
    std::filesystem::remove_all(owner.home().vault);

    const auto engine = host.engine();
    RunOrder order;
    order.system = "letters";
    order.owner = trust;
    const auto ordered = engine->order_failover(order);
    REQUIRE(ordered);
    const auto locked = engine->wait(ordered->id, run_ms_max);
    REQUIRE(locked);
    INFO(run_json(*locked));
    REQUIRE(locked->state == RunState::Waiting);
    CHECK(locked->note.find("0 of the 2 shares") != std::string::npos);

    REQUIRE(engine->add_share(ordered->id, share_of(host, trust, custodians[0])));
    const auto one_share = engine->wait(ordered->id, run_ms_max, [](const Run& run) {
        return run.note.find("1 of the 2 shares") != std::string::npos;
    });
    REQUIRE(one_share);
    CHECK(one_share->state == RunState::Waiting);
    CHECK_FALSE(one_share->reached("choose"));
    CHECK_FALSE(engine->add_share(ordered->id, Buffer{1, 2, 3}));

    REQUIRE(engine->add_share(ordered->id, share_of(host, trust, custodians[2])));
    const auto proven = engine->wait(ordered->id, run_ms_max, [](const Run& run) {
        return run.reached("authorise") && Engine::settled(run);
    });
    REQUIRE(proven);
    INFO(run_json(*proven));
    REQUIRE(proven->state == RunState::Waiting);
    CHECK(proven->facts.checks[0].passed);

    const auto refused = host.approve(*engine, ordered->id, mole, "off");
    REQUIRE_FALSE(refused);  // The host's people order nothing of the owner's.
    CHECK(refused.error().code == Errc::Denied);
    REQUIRE(host.approve(*engine, ordered->id, ada, "their site is dark"));
    REQUIRE(host.approve(*engine, ordered->id, ben, "I saw it"));
    const auto open =
        engine->wait(ordered->id, run_ms_max, [](const Run& run) { return is_over(run.state); });
    REQUIRE(open);
    INFO(run_json(*open));
    CHECK(open->state == RunState::Succeeded);
    CHECK(open->facts.term == 1);
    REQUIRE(open->facts.endpoints.size() == 1);
    CHECK(open->facts.endpoints[0].address.starts_with("127.0.0.1:"));
    CHECK(path_exists(host.home().run + "/endpoints/" + trust.hex() + "/letters.json"));
    REQUIRE(engine->stop(open->id));
    const auto closed = engine->wait(open->id, run_ms_max,
                                     [](const Run& run) { return run.state == RunState::Closed; });
    REQUIRE(closed);
    CHECK(closed->state == RunState::Closed);
}

TEST_CASE("a system without an envelope cannot be run by a partner", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome owner;
    FailoverHome host;
    owner.add_letters();
    bring(owner, host);
    const auto engine = host.engine();
    RunOrder order;
    order.system = "letters";
    order.owner = opened(owner.home()).settings.trust;
    const auto ordered = engine->order_drill(order);
    REQUIRE(ordered);
    const auto run = engine->wait(ordered->id, run_ms_max);
    REQUIRE(run);
    CHECK(run->state == RunState::Failed);
    CHECK(run->facts.failure.find("no envelope") != std::string::npos);
}
