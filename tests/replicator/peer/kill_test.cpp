// Kills at every fault point, of the program that ships: the pusher's and the host's. Whatever ends
// them, the host holds a complete older state, and the next transfer completes it.
#include "tests/replicator/peer/test_trust.h"

#include <cstdio>
#include <filesystem>

namespace holdfast::replicator::test {
namespace {

using holdfast::test::random_bytes;

constexpr int faults_max = 400;

/// What `vault` holds reads back, snapshot by snapshot: it is complete.
std::size_t whole_snapshots(const TestTrust& owner, const std::string& folder,
                            const std::map<std::string, std::string>& texts) {
    auto opened = vault::PosixStore::open(folder);
    if (!opened) return 0;
    const auto own = owner.open_vault();
    const auto index = must(vault::ChunkIndex::open(":memory:"));
    vault::VaultReader reader(*opened, *index, own->keys(), own->roster());
    must(reader.refresh());
    for (const vault::SnapshotRecord& record : reader.snapshots()) {
        CHECK(owner.read_back(*opened, record) == texts.at(record.system));
    }
    return reader.snapshots().size();
}

struct Scene {
    Scene() {
        owner.start();
        host.start();
        pair_up(host, owner);
        agree(owner, host);
        owner.stop();
        host.stop();
        std::uint64_t seed = 0;
        for (const char* system : {"epr", "pacs"}) {
            texts[system] = random_bytes(600'000, ++seed);
            owner.snapshot(system, texts[system]);
        }
    }
    std::string tenancy() const {
        return host.settings().tenants + "/" + owner.id().hex() + "/vault";
    }
    void forget_tenancy() const {
        std::filesystem::remove_all(host.settings().tenants);
        for (const char* file : {"replicator.db", "replicator.db-wal", "replicator.db-shm"}) {
            const std::string path = host.settings().state + "/" + file;
            std::filesystem::remove(path);
            const std::string kept = host.settings().state + "/kept-" + file;
            if (std::filesystem::exists(kept)) std::filesystem::copy(kept, path);
        }
    }
    void keep_state() const {
        for (const char* file : {"replicator.db", "replicator.db-wal", "replicator.db-shm"}) {
            const std::string path = host.settings().state + "/" + file;
            const std::string kept = host.settings().state + "/kept-" + file;
            if (std::filesystem::exists(path)) std::filesystem::copy(path, kept);
        }
    }

    TestTrust owner{"Owner"};
    TestTrust host{"Host"};
    std::map<std::string, std::string> texts;
};

/// Asks for a transfer and waits until it ends, or until `over`.
bool transfer_once(const TestTrust& owner, const std::function<bool()>& over) {
    auto control = owner.control();
    if (!control.replicate(std::nullopt)) return false;
    bool done = false;
    REQUIRE(eventually([&] {
        if (over()) return true;
        const auto all = control.transfers();
        if (!all || all->empty()) return false;
        done = all->front().state == "done";
        return all->front().ended_ms != 0;
    }));
    return done;
}

void check_complete(Scene& scene) {
    CHECK(whole_snapshots(scene.owner, scene.tenancy(), scene.texts) == 2);
}

}  // namespace

TEST_CASE("a pusher killed at any step leaves a whole older state, and goes on", "[peer][kill]") {
    Scene scene;
    scene.keep_state();
    ReplicatorProgram host(scene.host.settings(), "");
    bool killed = true;
    int fault = 1;
    for (; killed; ++fault) {
        REQUIRE(fault < faults_max);
        ReplicatorProgram owner(scene.owner.settings(), std::to_string(fault));
        transfer_once(scene.owner, [&] { return owner.ended(); });
        killed = owner.ended();
        whole_snapshots(scene.owner, scene.tenancy(), scene.texts);
    }
    std::printf("fault points of the pusher tried: %d\n", fault - 2);
    ReplicatorProgram owner(scene.owner.settings(), "");
    CHECK(transfer_once(scene.owner, [&] { return owner.ended(); }));
    check_complete(scene);
    CHECK(must(scene.owner.control().receipts(scene.host.id())).size() == 2);
}

TEST_CASE("a host killed at any step keeps a whole older state, and is completed", "[peer][kill]") {
    Scene scene;
    scene.keep_state();
    bool killed = true;
    int fault = 1;
    for (; killed; ++fault) {
        REQUIRE(fault < faults_max);
        scene.forget_tenancy();
        ReplicatorProgram owner(scene.owner.settings(), "");
        {
            ReplicatorProgram host(scene.host.settings(), std::to_string(fault));
            transfer_once(scene.owner, [&] { return host.ended(); });
            killed = host.ended();
        }
        whole_snapshots(scene.owner, scene.tenancy(), scene.texts);
        owner.stop();
        ReplicatorProgram again(scene.owner.settings(), "");
        ReplicatorProgram host(scene.host.settings(), "");
        CHECK(transfer_once(scene.owner, [] { return false; }));
        check_complete(scene);
    }
    std::printf("fault points of the host tried: %d\n", fault - 2);
    CHECK(fault > 20);
}

}  // namespace holdfast::replicator::test
