// The owner's node lives: it releases one snapshot, two of its people sign, and nobody's share is
// needed. What else the host keeps stays sealed.
#include "agent/failover/releasing.h"
#include "agent/failover/tenancy.h"
#include "tests/agent/failover/two_trusts.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/pack/pack_reader.h"
#include "vault/prune/repack.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;
using vault::Role;

namespace {

class WeekAgo final : public Clock {
public:
    std::int64_t wall_ms() const override { return system_clock().wall_ms() - 7 * day_ms; }
    std::int64_t steady_ns() const override { return system_clock().steady_ns(); }
};

/// An owner with letters, three snapshots old, two people, and a host that keeps them.
struct Setting {
    Setting() {
        owner.add_letters();
        for (const char* text : {"second", "third"}) {
            owner.write(owner.folder() + "/source/letter.txt", text);
            owner.snapshot("letters");
        }
        ada.emplace(owner.add_person("Ada", {Role::Approver}));
        ben.emplace(owner.add_person("Ben", {Role::Operator}));
        lend_runtime(owner, host);
        bring(owner, host);
        const Node own = opened(owner.home());
        for (const auto& one : own.vault->reader().snapshots()) snapshots.push_back(one.id.hex());
        trust = own.settings.trust;
    }

    ReleaseOrder wanted(std::size_t snapshot) const {
        const Node theirs = opened(host.home());
        return {theirs.settings.trust,
                theirs.keys.box.public_key,
                "letters",
                snapshots.at(snapshot),
                "a drill",
                system_clock().wall_ms() + 7 * day_ms};
    }
    vault::NewRelease made(const ReleaseOrder& order, const Clock& clock = system_clock()) const {
        auto release = make_release(opened(owner.home()), order, clock);
        INFO((release ? "" : release.error().message));
        REQUIRE(release);
        return std::move(*release);
    }
    static StoredRelease stored(const vault::NewRelease& release) {
        return {vault::encode(release.record), release.sealed_keys};
    }
    /// Of the second snapshot, signed by both.
    StoredRelease good(std::size_t snapshot = 1) const {
        vault::NewRelease release = made(wanted(snapshot));
        vault::sign(release.record, ada->key);
        vault::sign(release.record, ben->key);
        return stored(release);
    }
    RunOrder order(StoredRelease release) const {
        RunOrder out;
        out.system = "letters";
        out.owner = trust;
        out.release = std::move(release);
        return out;
    }

    FailoverHome owner, host;
    std::optional<TestPerson> ada, ben;
    std::vector<std::string> snapshots;
    TrustId trust;
};

}  // namespace

TEST_CASE("a partner drills a released snapshot without any custodian", "[failover]") {
    if (!can_run_systems()) return;
    Setting s;
    const auto engine = s.host.engine();
    const auto ordered = engine->order_drill(s.order(s.good()));
    INFO((ordered ? "" : ordered.error().message));
    REQUIRE(ordered);
    const auto run = engine->wait(ordered->id, run_ms_max);
    REQUIRE(run);
    INFO(run_json(*run));
    CHECK(run->state == RunState::Succeeded);
    CHECK(run->facts.snapshot == s.snapshots[1]);  // Not the newest: the one that was released.
    CHECK(run->facts.release.people == std::vector<std::string>{"Ada", "Ben"});
    const auto report = read_file(run->facts.evidence, 1 << 20);
    REQUIRE(report);
    const std::string text(as_text(*report));
    CHECK(text.find("the keys of snapshot " + s.snapshots[1]) != std::string::npos);
    CHECK(text.find("for: a drill") != std::string::npos);
    CHECK(text.find("signed by Ada and Ben") != std::string::npos);
    // The run is over, and with it the keys.
    const auto left = engine->store().release(run->id);
    REQUIRE(left);
    CHECK_FALSE(left->has_value());
    CHECK(s.host.remains() == "");
    // A partner's drill says nothing about systems of the host's own.
    const auto readiness = engine->store().readiness("letters");
    REQUIRE(readiness);
    CHECK_FALSE(readiness->has_value());
}

TEST_CASE("a release opens no older and no newer snapshot", "[failover]") {
    if (!can_run_systems()) return;
    Setting s;
    const StoredRelease release = s.good();
    const Node theirs = opened(s.host.home());
    const auto record = vault::parse_record(release.record);
    REQUIRE(record);
    const auto facts = vault::parse_release(*record, theirs.settings.trust);
    REQUIRE(facts);
    const auto keys =
        vault::ReleaseKeys::open(*facts, release.keys, theirs.keys.box, system_clock().wall_ms());
    REQUIRE(keys);
    auto store = vault::PosixStore::open(tenancy_vault(s.host.home(), s.trust));
    REQUIRE(store);
    const auto roster = vault::read_roster(*store, s.trust);
    REQUIRE(roster);
    const auto index = vault::ChunkIndex::open(":memory:");
    REQUIRE(index);
    vault::VaultReader reader(*store, **index, *keys, *roster);
    REQUIRE(reader.refresh());
    REQUIRE(reader.snapshots().size() == 1);
    CHECK(reader.snapshots()[0].id.hex() == s.snapshots[1]);
    CHECK(reader.manifest(reader.snapshots()[0]));
    // Even told by the owner where the others' manifests lie, it reads none of the newer one.
    const Node own = opened(s.owner.home());
    const auto newer = own.vault->reader().find(s.snapshots[2]);
    REQUIRE(newer);
    const auto refused = reader.manifest(*newer);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("not part of the release") != std::string::npos);
    const auto older = own.vault->reader().find(s.snapshots[0]);
    REQUIRE(older);
    CHECK_FALSE(reader.find(s.snapshots[0]));
}

TEST_CASE("what was repacked into one pack is still released snapshot by snapshot", "[failover]") {
    if (!can_run_systems()) return;
    Setting s;
    {
        const Node own = opened(s.owner.home());
        vault::RepackSettings settings;
        settings.in_use = []() -> Result<std::set<vault::SnapshotId>> {
            return std::set<vault::SnapshotId>{};
        };
        const auto report = vault::repack(*own.vault, settings);
        REQUIRE(report);
        REQUIRE(report->new_packs == 1);  // Else this tests nothing.
        REQUIRE(report->snapshots == 3);
    }
    bring(s.owner, s.host);
    const auto engine = s.host.engine();
    const auto ordered = engine->order_drill(s.order(s.good()));
    REQUIRE(ordered);
    const auto run = engine->wait(ordered->id, run_ms_max);
    REQUIRE(run);
    INFO(run_json(*run));
    CHECK(run->state == RunState::Succeeded);
    // The third's letter lies in the same pack, in a segment that was not released.
    const Node own = opened(s.owner.home());
    const Node theirs = opened(s.host.home());
    const StoredRelease release = s.good();
    const auto facts =
        vault::parse_release(*vault::parse_record(release.record), theirs.settings.trust);
    REQUIRE(facts);
    const auto keys =
        vault::ReleaseKeys::open(*facts, release.keys, theirs.keys.box, system_clock().wall_ms());
    REQUIRE(keys);
    std::size_t released = 0;
    std::size_t sealed = 0;
    const auto packs = own.vault->reader().packs_of(*own.vault->reader().find(s.snapshots[1]));
    REQUIRE(packs);
    for (const PackId& pack : *packs) {
        const auto directory = vault::open_directory(own.vault->store(), pack, own.vault->keys());
        REQUIRE(directory);
        for (const vault::DirectorySegment& segment : directory->segments) {
            ++(keys->key_of(segment.name) ? released : sealed);
        }
    }
    CHECK(released > 0);
    CHECK(sealed > 0);
}

TEST_CASE("a release is refused unless it is whole, in date, and this run's", "[failover]") {
    if (!can_run_systems()) return;
    Setting s;
    const auto engine = s.host.engine();
    const auto refusal = [&](const StoredRelease& release, RunOrder order) {
        order.release = release;
        const auto ordered = engine->order_drill(order);
        return ordered ? std::string("taken") : ordered.error().message;
    };
    const auto has = [](const std::string& text, const std::string& part) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    };
    const RunOrder order = s.order(s.good());

    vault::NewRelease one = s.made(s.wanted(1));
    has(refusal(Setting::stored(one), order), "two");
    vault::sign(one.record, s.ada->key);
    has(refusal(Setting::stored(one), order), "two");
    vault::sign(one.record, s.ada->key);
    CHECK(refusal(Setting::stored(one), order) != "taken");

    ReleaseOrder past = s.wanted(1);
    past.until_ms = system_clock().wall_ms() - 1;
    vault::NewRelease over = s.made(past, WeekAgo());
    vault::sign(over.record, s.ada->key);
    vault::sign(over.record, s.ben->key);
    has(refusal(Setting::stored(over), order), "ended at");

    ReleaseOrder elsewhere = s.wanted(1);
    elsewhere.host = s.trust;
    vault::NewRelease other = s.made(elsewhere);
    vault::sign(other.record, s.ada->key);
    vault::sign(other.record, s.ben->key);
    CHECK(refusal(Setting::stored(other), order) != "taken");
    ReleaseOrder other_node = s.wanted(1);
    other_node.host_key = opened(s.owner.home()).keys.box.public_key;
    vault::NewRelease misled = s.made(other_node);
    vault::sign(misled.record, s.ada->key);
    vault::sign(misled.record, s.ben->key);
    has(refusal(Setting::stored(misled), order), "another node");

    RunOrder other_system = order;
    other_system.system = "epr";
    has(refusal(*order.release, other_system), "not of epr");
    RunOrder other_snapshot = order;
    other_snapshot.snapshot = s.snapshots[0];
    has(refusal(*order.release, other_snapshot), "not of ");
    RunOrder own_system = order;
    own_system.owner.reset();
    has(refusal(*order.release, own_system), "this trust's own");
    const auto runs = engine->store().runs();
    REQUIRE(runs);
    CHECK(runs->empty());  // A refused order leaves no run.
}

TEST_CASE("keys that were not signed for open nothing, and the drill says so", "[failover]") {
    if (!can_run_systems()) return;
    Setting s;
    StoredRelease mixed = s.good(1);
    mixed.keys = s.good(2).keys;
    const auto engine = s.host.engine();
    const auto ordered = engine->order_drill(s.order(mixed));
    REQUIRE(ordered);
    const auto run = engine->wait(ordered->id, run_ms_max);
    REQUIRE(run);
    CHECK(run->state == RunState::Failed);
    CHECK(run->facts.failure.find("not the keys that were signed for") != std::string::npos);
    CHECK(s.host.remains() == "");
}

TEST_CASE("a failover with a release opens once two people have signed its order", "[failover]") {
    if (!can_run_systems()) return;
    Setting s;
    const auto engine = s.host.engine();
    const auto ordered = engine->order_failover(s.order(s.good(2)));
    REQUIRE(ordered);
    const auto waiting = engine->wait(ordered->id, run_ms_max);
    REQUIRE(waiting);
    INFO(run_json(*waiting));
    REQUIRE(waiting->state == RunState::Waiting);
    CHECK(waiting->reached("authorise"));
    REQUIRE(s.host.approve(*engine, ordered->id, *s.ada, "dark"));
    const auto twice = s.host.approve(*engine, ordered->id, *s.ada, "dark");
    REQUIRE_FALSE(twice);
    CHECK(twice.error().code == Errc::Conflict);
    REQUIRE(s.host.approve(*engine, ordered->id, *s.ben, "dark"));
    const auto open =
        engine->wait(ordered->id, run_ms_max, [](const Run& run) { return is_over(run.state); });
    REQUIRE(open);
    INFO(run_json(*open));
    CHECK(open->state == RunState::Succeeded);
    // It stays until the system is stopped: a mount that dies is attached again with it.
    const auto kept = engine->store().release(open->id);
    REQUIRE(kept);
    CHECK(kept->has_value());
    REQUIRE(engine->stop(open->id));
    const auto closed = engine->wait(open->id, run_ms_max,
                                     [](const Run& run) { return run.state == RunState::Closed; });
    REQUIRE(closed);
    const auto left = engine->store().release(open->id);
    REQUIRE(left);
    CHECK_FALSE(left->has_value());
}
