// Every step of a node's work, with a fault at each of its calls and a cut after each of its
// changes: nothing committed is lost, nothing half is visible, nothing leaks, and it succeeds when
// it is tried again.
#include "agent/config/node_settings.h"
#include "tests/harness/tree_compare.h"
#include "tests/sim/long_run.h"
#include "tests/sim/trial.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>

using namespace holdfast;
using namespace holdfast::sim;
using vault::SnapshotId;

namespace {

namespace fs = std::filesystem;

void report(const std::string& name, const char* what, const Outcome& outcome) {
    std::cout << name << ": " << outcome.counts.faults << " faults, " << outcome.counts.cuts
              << " cuts\n";
    for (const std::string& one : outcome.problems) UNSCOPED_INFO(one);
    INFO(what);
    CHECK(outcome.problems.empty());
}

/// Faults and cuts in one step.
void try_all(const Lab& lab, const Step& step) {
    const Outcome faults = try_faults(lab, step);
    report(step.name, "faults", faults);
    CHECK(faults.counts.faults > 5);
    const Outcome cuts = try_cuts(lab, step, 1);
    report(step.name, "cuts", cuts);
    CHECK(cuts.counts.cuts > 1);
}

/// A node, and what it must hold.
struct Node {
    explicit Node(std::uint64_t seed = 1) : lab(seed) { REQUIRE(lab.init()); }

    SnapshotId snapshot(unsigned version) {
        lab.set_files(sample_files(version));
        const auto record = lab.snapshot();
        INFO((record ? "" : record.error().message));
        REQUIRE(record);
        expect.there[record->id] = lab.files();
        return record->id;
    }
    void forget(const SnapshotId& id) {
        REQUIRE(lab.forget({id}));
        expect.there.erase(id);
    }
    /// A step that changes nothing that a reader sees; the end of it is tidy.
    Step quiet(const std::string& name, std::function<Result<void>()> run) {
        return {name, std::move(run), [this] { return lab.check(expect); },
                [this] { return tidy(expect); }};
    }
    Problems tidy(const Expect& wanted) {
        Problems problems;
        Lab::need(lab.erase(), "erase", problems);
        const Problems found = lab.check_tidy(wanted);
        problems.insert(problems.end(), found.begin(), found.end());
        return problems;
    }
    /// A snapshot of other files: one, or one for each try.
    Step snapshot_step(const std::string& name, unsigned version) {
        lab.set_files(sample_files(version));
        expect.coming = lab.files();
        return {name,
                [this]() -> Result<void> {
                    const auto before = lab.clock.wall;
                    auto record = lab.snapshot();
                    lab.clock.wall = before;
                    if (!record) return std::move(record).error();
                    return {};
                },
                [this] { return lab.check(expect); },
                [this] {
                    Problems problems = tidy(expect);
                    const auto there = lab.snapshots();
                    Lab::need(there, "list", problems);
                    if (there && there->size() <= expect.there.size()) {
                        problems.push_back("the snapshot is not there");
                    }
                    return problems;
                }};
    }

    Lab lab;
    Expect expect;
};

}  // namespace

TEST_CASE("a node is set up whole, or is set up again", "[sim]") {
    Lab lab(1);
    fs::create_directory(lab.folder());
    const std::string settings = lab.folder() + "/node.toml";
    const Step step{"init",
                    [&]() -> Result<void> {
                        if (path_exists(settings)) return {};
                        return lab.init();
                    },
                    [&] {
                        Problems problems;
                        if (path_exists(settings)) Lab::need(lab.open(), "open", problems);
                        return problems;
                    },
                    [&] { return lab.check({}); }};
    try_all(lab, step);
}

TEST_CASE("the first snapshot", "[sim]") {
    Node node;
    try_all(node.lab, node.snapshot_step("first snapshot", 1));
}

TEST_CASE("the next snapshot", "[sim]") {
    Node node;
    node.snapshot(1);
    node.snapshot(2);
    try_all(node.lab, node.snapshot_step("next snapshot", 3));
}

TEST_CASE("a snapshot that this node cannot open", "[sim]") {
    Node node;
    node.lab.locked = true;
    node.snapshot(1);
    try_all(node.lab, node.snapshot_step("locked snapshot", 2));
}

TEST_CASE("forgetting", "[sim]") {
    Node node;
    const SnapshotId first = node.snapshot(1);
    node.snapshot(2);
    node.expect.leaving = {{first, node.expect.there[first]}};
    node.expect.there.erase(first);
    Expect after = node.expect;
    after.leaving.clear();
    try_all(node.lab,
            {"forget", [&] { return node.lab.forget({first}); },
             [&] { return node.lab.check(node.expect); }, [&] { return node.tidy(after); }});
}

TEST_CASE("erasing", "[sim]") {
    Node node;
    const SnapshotId first = node.snapshot(1);
    node.snapshot(2);
    const SnapshotId third = node.snapshot(3);
    node.forget(first);
    node.forget(third);
    try_all(node.lab, node.quiet("erase", [&] { return node.lab.erase(); }));
}

TEST_CASE("repacking", "[sim]") {
    Node node;
    const SnapshotId first = node.snapshot(1);
    node.snapshot(2);
    node.snapshot(3);
    node.forget(first);
    try_all(node.lab, node.quiet("repack", [&] { return node.lab.repack(); }));
}

TEST_CASE("carrying the ledger over", "[sim]") {
    Node node;
    const SnapshotId first = node.snapshot(1);
    node.snapshot(2);
    REQUIRE(node.lab.carry_over());
    node.snapshot(3);
    node.forget(first);
    // Writes a carry, and erases what lies before the one above.
    try_all(node.lab, node.quiet("carry over", [&] { return node.lab.carry_over(); }));
}

TEST_CASE("verifying, and learning the index again", "[sim]") {
    Node node;
    node.snapshot(1);
    node.snapshot(2);
    for (const char* end : {"", "-wal"}) fs::remove(node.lab.folder() + "/state/index.db" + end);
    try_all(node.lab, node.quiet("verify", [&]() -> Result<void> {
        const auto report = HF_TRY(node.lab.verify());
        if (report.clean()) return {};
        return Error{Errc::Corrupt, report.damage.front().what};
    }));
}

TEST_CASE("repairing", "[sim]") {
    Node node;
    node.snapshot(1);
    node.snapshot(2);
    const std::string vault = node.lab.folder() + "/vault";
    const std::string copy = node.lab.beside("copy");
    fs::copy(vault, copy, fs::copy_options::recursive);
    unsigned damaged = 0;
    for (const char* folder : {"/pack", "/list"}) {
        for (const auto& item : fs::recursive_directory_iterator(vault + folder)) {
            if (!item.is_regular_file() || ++damaged > 3) continue;
            Buffer bytes = *read_file(item.path(), vault::object_bytes_max);
            bytes[bytes.size() / 2] ^= 1;
            REQUIRE(write_file_durably(item.path(), bytes));
        }
    }
    const Step step{"repair",
                    [&]() -> Result<void> {
                        const auto report = HF_TRY(node.lab.repair(copy));
                        if (report.left.empty()) return {};
                        return Error{Errc::Corrupt, report.left.front().what};
                    },
                    [&] {
                        Problems problems;
                        Lab::need(node.lab.open(), "open", problems);
                        return problems;
                    },
                    [&] { return node.tidy(node.expect); }};
    try_all(node.lab, step);
}

TEST_CASE("renewing the recovery key", "[sim]") {
    Node node;
    node.snapshot(1);
    node.snapshot(2);
    const auto with_kit = [&](Problems problems) {
        const Problems kit = node.lab.check_kit();
        problems.insert(problems.end(), kit.begin(), kit.end());
        return problems;
    };
    const Step step{"renew", [&] { return node.lab.renew(); },
                    [&] { return with_kit(node.lab.check(node.expect)); },
                    [&] { return with_kit(node.tidy(node.expect)); }};
    try_all(node.lab, step);
}

TEST_CASE("a fact in the ledger", "[sim]") {
    Node node;
    node.snapshot(1);
    try_all(node.lab, node.quiet("record a fact", [&] { return node.lab.record_fact(); }));
}

TEST_CASE("a chain that is damaged is followed by another", "[sim]") {
    Node node;
    node.snapshot(1);
    const auto before = take_image(node.lab);
    node.snapshot(2);
    // Put back to an older state, but for what the node remembers of its chain.
    const auto now = take_image(node.lab);
    auto older = before;
    older["state/chain"] = now.at("state/chain");
    put_in_place(older, node.lab);
    node.expect.there.erase(
        std::find_if(node.expect.there.begin(), node.expect.there.end(),
                     [&](const auto& one) { return one.second == sample_files(2); }));
    Step step = node.snapshot_step("new chain", 3);
    const auto ignoring_gap = [](Problems problems) {
        std::erase_if(problems, [](const std::string& one) {
            return one.find("verify: ledger/") ==
                   0;  // The entry that is missing is named for ever.
        });
        return problems;
    };
    const Step quiet{"new chain",
                     [&]() -> Result<void> {
                         auto done = step.run();
                         // The warning that another chain was opened: the snapshot is there.
                         if (!done && done.error().code == Errc::Invalid) return {};
                         return done;
                     },
                     [&] { return ignoring_gap(step.between()); },
                     [&] { return ignoring_gap(node.lab.check(node.expect)); }};
    try_all(node.lab, quiet);
}

TEST_CASE("restoring", "[sim]") {
    Node node;
    node.snapshot(1);
    node.snapshot(2);
    unsigned tries = 0;
    std::string last;
    const Step step{"restore",
                    [&] {
                        last = node.lab.folder() + "/restored-" + std::to_string(++tries);
                        return node.lab.restore(last);
                    },
                    [&] { return node.lab.check(node.expect); },
                    [&] {
                        return test::compare_trees(node.lab.beside("source"), last,
                                                   {.owners = true, .root_itself = true});
                    }};
    try_all(node.lab, step);
}

TEST_CASE("restoring over files in use", "[sim]") {
    Node node;
    node.snapshot(1);
    const std::string in_use = node.lab.folder() + "/in-use";
    REQUIRE(node.lab.restore(in_use));
    node.snapshot(2);
    const Files before = sample_files(1);
    const Step step{
        "restore in place", [&] { return node.lab.restore(in_use, agent::Overwrite::Always); },
        [&] {
            Problems problems;
            for (const auto& [path, content] : before) {
                const auto now = read_file(in_use + "/" + path, vault::object_bytes_max);
                Lab::need(now, path, problems);
                if (!now || as_text(*now) == content) continue;
                if (as_text(*now) == node.lab.files().at(path)) continue;
                problems.push_back(path + " is neither old nor new");
            }
            return problems;
        },
        [&] { return test::compare_trees(node.lab.beside("source"), in_use); }};
    try_all(node.lab, step);
}

TEST_CASE("what a restore has said is restored lasts", "[sim]") {
    Node node;
    node.snapshot(1);
    std::vector<Change> changes;
    {
        Calls calls(node.lab.folder());
        REQUIRE(node.lab.restore(node.lab.folder() + "/restored"));
        changes = calls.changes();
    }
    Disk disk;
    for (const Change& change : changes) disk.apply(change);
    std::mt19937_64 random(1);
    const auto files = disk.after_cut(Left::Nothing, random);
    for (const auto& [path, content] : node.lab.files()) {
        INFO(path);
        const auto found = files.find("restored/" + path);
        REQUIRE(found != files.end());
        CHECK(as_text(found->second) == content);
    }
}

TEST_CASE("lives of nodes, from seeds", "[seeds]") {
    LongRun all;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const LongRun run = live(seed, 30);
        for (const std::string& one : run.problems) UNSCOPED_INFO("seed " << seed << ", " << one);
        CHECK(run.problems.empty());
        all.snapshots += run.snapshots;
        all.counts += run.counts;
    }
    CHECK(all.snapshots > 30);
    CHECK(all.counts.faults > 10);
    CHECK(all.counts.cuts > 10);
    std::cout << "lives: " << all.snapshots << " snapshots, " << all.counts.faults << " faults, "
              << all.counts.cuts << " cuts\n";
}
