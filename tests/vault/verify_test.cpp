#include "tests/vault/test_vault.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

const std::string text_a(50'000, 'a');
const std::string text_b(50'000, 'b');

/// Takes a pack off the list of the snapshot at hand.
TestVault::Edit without(const PackId& pack) {
    return [pack](WrittenSnapshot& written) { REQUIRE(written.packs.erase(pack) == 1); };
}

}  // namespace

TEST_CASE("a chunk that only another snapshot's list reaches is damage", "[vault][verify]") {
    TestVault node;
    const auto vault = node.open();
    const SnapshotRecord first = node.snapshot(*vault, {{"a", text_a}});
    node.clock.wall += 1000;  // Else the manifest would have the same chunks.
    const SnapshotRecord second =
        node.snapshot(*vault, {{"a", text_a}, {"b", text_b}}, without(first.manifest_pack));
    const VerifyReport report = node.verify(*vault);
    REQUIRE(report.damage.size() == 1);
    CHECK(report.damage[0].object == "snapshot " + second.id.hex() + " files a");
    CHECK(report.damage[0].what.find("no pack on the snapshot's list") != std::string::npos);
    CHECK(report.damage[0].what.find(first.manifest_pack.hex()) != std::string::npos);
}

TEST_CASE("a leaf that is whole in one snapshot is still looked for on another's list", "[vault]") {
    TestVault node;
    const auto vault = node.open();
    const SnapshotRecord first = node.snapshot(*vault, {{"a", text_a}});
    node.clock.wall += 1000;
    const auto second = node.snapshot(*vault, {{"a", text_a}}, without(first.manifest_pack));
    const VerifyReport report = node.verify(*vault);
    REQUIRE_FALSE(report.damage.empty());
    for (const Damage& damage : report.damage) {
        CHECK(damage.object.find("snapshot " + second.id.hex()) == 0);
        CHECK(damage.what.find("no pack on the snapshot's list") != std::string::npos);
    }
}

TEST_CASE("a chunk that two snapshots stored at once is no damage to either", "[vault][verify]") {
    TestVault node;
    const auto vault = node.open();
    node.snapshot(*vault, {{"a", text_a}});
    VaultPlaces elsewhere = node.places();
    elsewhere.state += "-2";  // Without the first one's index.
    const auto other = node.open(elsewhere);
    const SnapshotRecord again = node.snapshot(*other, {{"a", text_a}});
    CHECK(again.new_bytes == text_a.size());
    REQUIRE(vault->reader().refresh());
    CHECK(node.verify(*vault).clean());
    CHECK(node.verify(*other).clean());
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("a manifest off the list is refused", "[vault][reader]") {
    TestVault node;
    const auto vault = node.open();
    const SnapshotRecord first = node.snapshot(*vault, {{"a", text_a}});
    node.clock.wall += 1000;
    const SnapshotRecord second =
        node.snapshot(*vault, {{"a", text_a}},
                      [&](WrittenSnapshot& written) { written.packs = {first.manifest_pack}; });
    const auto manifest = vault->reader().manifest(second);
    REQUIRE_FALSE(manifest);
    CHECK(manifest.error().code == Errc::Corrupt);
    CHECK(manifest.error().message.find("its manifest is in no pack on its list") !=
          std::string::npos);
    CHECK(vault->reader().manifest(first));
    CHECK(node.verify(*vault).damage.size() == 1);
}

TEST_CASE("an index chunk off the list is refused", "[vault][reader]") {
    TestVault node;
    const auto vault = node.open();
    const SnapshotRecord first = node.snapshot(*vault, {{"a", text_a}}, {}, 0);
    const auto good = vault->reader().manifest(first);
    REQUIRE(good);
    const SnapshotRecord second = node.snapshot(*vault, {{"a", text_b}}, {}, 0);
    const auto indexed = vault->reader().manifest(second);
    REQUIRE(indexed);
    REQUIRE_FALSE(indexed->index.empty());
    const SnapshotRecord third = node.snapshot(*vault, {{"a", text_b}, {"b", text_a}},
                                               without(indexed->index.front().pack), 0);
    const auto refused = vault->reader().manifest(third);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Corrupt);
    CHECK(refused.error().message.find("an index chunk off the list") != std::string::npos);
}
