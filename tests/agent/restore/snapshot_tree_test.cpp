#include "agent/restore/snapshot_tree.h"

#include "tests/agent/restore/scratch_vault.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <map>
#include <random>
#include <thread>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::ScratchFolder;
using holdfast::test::ScratchVault;

namespace {

using Ordinals = std::map<std::string, std::uint64_t>;

Ordinals ordinals_of(const Tree& tree) {
    Ordinals out;
    REQUIRE(tree.walk([&](std::uint64_t ordinal, const vault::Entry& entry) -> Result<void> {
        out[entry.path] = ordinal;
        return {};
    }));
    return out;
}

std::unique_ptr<SnapshotTree> open_tree(ScratchVault& vault) {
    auto tree = SnapshotTree::open(vault.source, vault.readers(), 3);
    REQUIRE(tree);
    return std::move(*tree);
}

/// Reads at `reads` random places and compares; the number of those that were wrong.
int wrong_reads(const Tree& tree, std::uint64_t ordinal, View expected, unsigned seed, int reads) {
    std::mt19937_64 random(seed);
    int wrong = 0;
    for (int i = 0; i < reads; ++i) {
        const std::size_t offset = random() % (expected.size() + 10);
        Buffer out(random() % 300'000, 0xee);
        const auto got = tree.read(ordinal, offset, out);
        const std::size_t there = expected.size() - std::min(offset, expected.size());
        const View right =
            expected.subspan(std::min(offset, expected.size()), std::min(there, out.size()));
        if (!got || *got != right.size() || !std::equal(right.begin(), right.end(), out.begin())) {
            ++wrong;
        }
    }
    return wrong;
}

}  // namespace

TEST_CASE("reads at any place answer the file's bytes", "[restore]") {
    const ScratchFolder from;
    from.folder("d");
    from.random_file("stream", 20'000'001, 1);
    from.random_file("d/small", 5000, 2);
    from.random_file("d/small2", 7000, 3);
    from.random_file("pages", 80 << 20, 4);  // Extents in parts.
    from.file("empty", "");
    REQUIRE(truncate((from / "stream").c_str(), 30'000'000) == 0);  // A hole at the end.
    REQUIRE(link((from / "d/small").c_str(), (from / "zz").c_str()) == 0);
    ScratchVault vault;
    vault.take(from.path());
    const auto tree = open_tree(vault);
    const Ordinals ordinals = ordinals_of(*tree);
    CHECK(ordinals.size() == 8);
    for (const char* name : {"stream", "d/small", "d/small2", "pages", "zz", "empty"}) {
        INFO(name);
        const Buffer expected = *read_file(from / name, 1 << 30);
        CHECK(wrong_reads(*tree, ordinals.at(name), expected, 7, 100) == 0);
    }
}

TEST_CASE("several threads read at once", "[restore]") {
    const ScratchFolder from;
    from.random_file("a", 10'000'000, 1);
    from.random_file("b", 12'000'000, 2);
    ScratchVault vault;
    vault.take(from.path());
    const auto tree = open_tree(vault);
    const Ordinals ordinals = ordinals_of(*tree);
    const Buffer a = *read_file(from / "a", 1 << 30);
    const Buffer b = *read_file(from / "b", 1 << 30);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            wrong +=
                wrong_reads(*tree, ordinals.at(i % 2 == 0 ? "a" : "b"), i % 2 == 0 ? a : b, i, 100);
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

TEST_CASE("what cannot be read from a tree is told", "[restore]") {
    const ScratchFolder from;
    from.random_file("file", 100'000, 1);
    ScratchVault vault;
    vault.take(from.path());
    const auto tree = open_tree(vault);
    Buffer out(10);
    CHECK(tree->read(0, 0, out).error().code == Errc::Invalid);  // The root.
    CHECK(tree->read(99, 0, out).error().code == Errc::NotFound);
    const auto item = vault.tree->find("file");
    REQUIRE(item);
    vault.damage(item->content.extents[0].chunk);
    CHECK(tree->read(1, 0, out).error().code == Errc::Corrupt);
}

TEST_CASE("what was used last is kept, up to the bound", "[restore]") {
    Lru<int, std::string> lru(10);
    const auto put = [&](int key) { lru.add(key, std::make_shared<const std::string>("x"), 4); };
    put(1);
    put(2);
    CHECK(lru.find(1) != nullptr);
    put(3);
    CHECK(lru.find(2) == nullptr);
    CHECK(lru.find(1) != nullptr);
    CHECK(lru.find(3) != nullptr);
    CHECK(lru.bytes() == 8);
    lru.add(4, std::make_shared<const std::string>("large"), 100);
    CHECK(lru.find(4) != nullptr);
    CHECK(lru.bytes() == 100);
}
