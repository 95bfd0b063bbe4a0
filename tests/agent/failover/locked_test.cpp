// A system in locked mode: this node writes its snapshots and cannot read them.
#include "agent/people/custody_files.h"
#include "tests/agent/failover/failover_home.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;

namespace {

vault::KitSecrets kit_of(const FailoverHome& node) {
    const auto text = read_file(node.home().kit + "/recovery-kit.json", vault::kit_bytes_max);
    REQUIRE(text);
    const auto kit = vault::parse_kit(as_text(*text));
    REQUIRE(kit);
    auto secrets = vault::open_kit(*kit, vault::Secret::copy_of(as_view("a passphrase")));
    REQUIRE(secrets);
    return std::move(*secrets);
}

Buffer share_for(const Node& node, const vault::BoxKey& custodian) {
    const auto custody = load_custody(node);
    REQUIRE(custody);
    const auto share = vault::open_share(custody->set, custodian);
    REQUIRE(share);
    const auto carried = parse_share_json(share_json(*share));  // As people hand it on.
    REQUIRE(carried);
    return vault::hand_over(*carried, node.keys.box.public_key);
}

}  // namespace

TEST_CASE("a locked system is drilled when enough custodians bring their shares", "[failover]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters("/usr/bin/test", "locked");
    const auto own = open_node(node.home());
    REQUIRE(own);
    std::vector<vault::BoxKey> keys;
    for (const char* name : {"Eve", "Fay", "Gus"}) {
        keys.push_back(vault::BoxKey::make(vault::system_random()));
        REQUIRE(add_custodian(node.home(), {name, keys.back().public_key}));
    }
    CHECK_FALSE(add_custodian(node.home(), {"Eve", keys[0].public_key}));
    REQUIRE(share_recovery(*own, kit_of(node), 2, system_clock().wall_ms()));

    const auto engine = node.engine();
    RunOrder order;
    order.system = "letters";
    const auto ordered = engine->order_drill(order);
    REQUIRE(ordered);
    const auto waiting = engine->wait(ordered->id, run_ms_max);
    REQUIRE(waiting);
    INFO(run_json(*waiting));
    REQUIRE(waiting->state == RunState::Waiting);
    REQUIRE(engine->add_share(ordered->id, share_for(*own, keys[1])));
    const auto one = engine->wait(ordered->id, run_ms_max, [](const Run& run) {
        return run.note.find("1 of the 2 shares") != std::string::npos;
    });
    REQUIRE(one);
    CHECK(one->state == RunState::Waiting);
    REQUIRE(engine->add_share(ordered->id, share_for(*own, keys[2])));
    const auto done =
        engine->wait(ordered->id, run_ms_max, [](const Run& run) { return is_over(run.state); });
    REQUIRE(done);
    INFO(run_json(*done));
    CHECK(done->state == RunState::Succeeded);
    CHECK(node.remains() == "");
}
