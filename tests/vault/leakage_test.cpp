// What a host could learn from what it sees: the lengths of packs. The published attacks on backup
// programs that cut by content take the lengths of chunks, of a file that the attacker knows or
// chose, and find out which file is kept, or the secret that chunks are cut by (Alexeev, Percival
// and Zhang, "Chunking Attacks on File Backup Services using Content-Defined Chunking", 2025).
#include "tests/vault/test_vault.h"
#include "vault/pack/directory.h"
#include "vault/snapshot/tree_reader.h"

#include <filesystem>
#include <set>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

constexpr std::size_t known_bytes = 8 << 20;
constexpr int trusts = 10;

/// What a host of the vault sees of one snapshot of `content`, and what it is not to see.
struct Seen {
    std::multiset<std::uint64_t> packs;     // Their lengths.
    std::vector<std::uint64_t> boundaries;  // Between the file's chunks.
};

Seen keep(const std::string& content) {
    TestVault made;
    const auto vault = made.open();
    const SnapshotRecord record = made.snapshot(*vault, {{"known", content}});
    Seen seen;
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(made.places().objects + "/pack")) {
        if (file.is_regular_file()) seen.packs.insert(file.file_size());
    }
    const auto manifest = vault->reader().manifest(record);
    REQUIRE(manifest);
    const auto chunks = vault->reader().chunk_reader();
    const auto tree = TreeReader::open(manifest->sources[0].tree, *chunks);
    REQUIRE(tree);
    TreeCursor cursor(*tree);
    const auto item = cursor.find("known");
    REQUIRE(item);
    REQUIRE(*item != nullptr);
    const auto extents = tree->extents(**item);
    REQUIRE(extents);
    std::uint64_t at = 0;
    for (const Extent& extent : *extents) seen.boundaries.push_back(at += extent.length);
    return seen;
}

}  // namespace

TEST_CASE("the lengths of packs do not tell where a known file is cut", "[vault][leakage]") {
    const std::string one = random_bytes(known_bytes, 1);
    const std::string other = random_bytes(known_bytes, 2);
    std::set<std::vector<std::uint64_t>> boundaries;
    std::set<std::multiset<std::uint64_t>> lengths;
    for (int i = 0; i < trusts; ++i) {
        for (const std::string& content : {one, other}) {
            const Seen seen = keep(content);
            boundaries.insert(seen.boundaries);
            lengths.insert(seen.packs);
        }
    }
    // Each trust cuts each of the two elsewhere, and all of it looks the same.
    CHECK(boundaries.size() == 2 * trusts);
    CHECK(lengths.size() == 1);
}

TEST_CASE("a file that grows by a little shows in coarse steps only", "[vault][leakage]") {
    // The chosen text of the attacks: a byte more here and there, to see a chunk's length move.
    const std::string whole = random_bytes(1'100'000, 3);
    std::set<std::multiset<std::uint64_t>> lengths;
    constexpr std::size_t steps = 24;
    constexpr std::size_t step_bytes = 1'000;
    for (std::size_t i = 0; i < steps; ++i) {
        lengths.insert(keep(whole.substr(0, 1'050'000 + i * step_bytes)).packs);
    }
    CHECK(lengths.size() <= 1 + steps * step_bytes / (1 << (20 - 5)) + 1);
}

TEST_CASE("padding costs at most 5 %, and less the larger a pack is", "[vault][leakage]") {
    double most = 0;
    double sum = 0;
    int lengths = 0;
    for (std::uint64_t length = pack_bytes_min; length <= pack_bytes_max; length += 9'973) {
        const auto padded = static_cast<double>(padded_length(length));
        const double cost = padded / static_cast<double>(length) - 1;
        most = std::max(most, cost);
        sum += cost;
        ++lengths;
    }
    CHECK(most < 0.05);
    CHECK(sum / lengths < 0.02);
    WARN("padding costs " << 100 * sum / lengths << " % on average, " << 100 * most
                          << " % at most, of packs from 64 KiB to 64 MiB");
}
