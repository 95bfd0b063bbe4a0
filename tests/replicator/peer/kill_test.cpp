// Kills at every fault point, of the program that ships: the pusher's and the host's. Whatever ends
// them, the host holds a complete older state, and the next transfer completes it.
#include "tests/replicator/peer/test_trust.h"
#include "vault/prune/erase.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

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

/// A snapshot of an empty folder, without Catch2, whose checks are for one thread.
Result<vault::SnapshotId> take_empty(vault::Vault& vault) {
    const auto writing = HF_TRY(vault.begin_writing("late", vault::OpeningKeys::Node));
    vault::SnapshotWriter writer(vault.context(writing, 1));
    writer.begin_source("files", "files", "/srv");
    vault::Entry root;
    root.type = vault::FileType::Directory;
    HF_TRY(writer.add(root, {}));
    HF_TRY(writer.end_source("{}"));
    vault::Manifest manifest;
    manifest.system = "late";
    const auto written = HF_TRY(writer.finish(std::move(manifest)));
    return HF_TRY(vault.commit(writing, written, "late", 1, 0)).id;
}

/// Waits until the transfer ends, or until `over`. Answers whether all was brought.
bool await_transfer(const TestTrust& owner, const std::function<bool()>& over) {
    auto control = owner.control();
    bool done = false;
    std::string problem;
    const bool ended = eventually([&] {
        if (over()) return true;
        const auto all = control.transfers();
        if (!all || all->empty()) return false;
        done = all->front().state == "done";
        problem = all->front().problem;
        return all->front().ended_ms != 0;
    });
    if (!problem.empty()) std::printf("a transfer ended with: %s\n", problem.c_str());
    REQUIRE(ended);
    return done;
}

/// Asks for a transfer, and awaits it.
bool transfer_once(const TestTrust& owner, const std::function<bool()>& over) {
    return owner.control().replicate(std::nullopt) && await_transfer(owner, over);
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

TEST_CASE("a push goes on though a snapshot is forgotten and erased under it", "[peer][kill]") {
    Scene scene;
    scene.keep_state();
    ReplicatorProgram host(scene.host.settings(), "");
    const auto vault = scene.owner.open_vault();
    bool stops = true;
    int fault = 1;
    for (; stops; ++fault) {
        REQUIRE(fault < faults_max);
        scene.texts["extra"] = random_bytes(300'000, static_cast<std::uint64_t>(fault));
        const auto extra = scene.owner.snapshot("extra", scene.texts["extra"]);
        ReplicatorProgram owner(scene.owner.settings(), "stop:" + std::to_string(fault));
        // A thread of its own, since whoever asks a stopped program waits for it.
        std::atomic<bool> first_over{false};
        std::atomic<bool> all_over{false};
        std::atomic<bool> prepared{false};
        std::size_t erased = 0;
        vault::SnapshotId late;
        std::thread meanwhile([&] {
            stops = eventually([&] { return owner.stopped() || first_over; }) && owner.stopped();
            const bool forgotten = vault->forget({extra.id}).operator bool();
            const auto report = vault::erase_unneeded(*vault, {});
            if (forgotten && report) erased = report->erased.packs;
            // No receipt can be had for what comes after the partner was asked.
            const auto taken = take_empty(*vault);
            if (taken) late = *taken;
            prepared = true;
            owner.go_on();
            eventually([&] { return owner.stopped() || all_over; });
            owner.go_on();
        });
        bool done = transfer_once(scene.owner, [] { return false; });
        first_over = true;
        CHECK(done);
        CHECK(eventually([&] { return prepared.load(); }));
        CHECK(vault->forget({late}));
        // The entry that forgets may have come too late for that one.
        done = transfer_once(scene.owner, [] { return false; }) && done;
        done = transfer_once(scene.owner, [] { return false; }) && done;
        all_over = true;
        meanwhile.join();
        CHECK(done);
        CHECK(erased >= 1);  // The late one of before, too.
        CHECK_FALSE(late.zero());
        check_complete(scene);
    }
    std::printf("steps of the pusher at which a snapshot was erased: %d\n", fault - 2);
    CHECK(fault > 5);
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
