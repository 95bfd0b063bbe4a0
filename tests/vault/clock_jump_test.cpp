#include "tests/vault/test_vault.h"
#include "vault/base/clock.h"

#include <catch2/catch.hpp>

#include <set>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {}  // namespace

TEST_CASE("a clock that jumps back and forward loses no snapshot and no order", "[vault][clock]") {
    TestVault node;
    std::vector<SnapshotId> taken;
    for (const std::int64_t jump :
         {std::int64_t{0}, -3 * day_ms, hour_ms, 40 * day_ms, -90 * day_ms}) {
        node.clock.wall += jump;
        const auto vault = node.open();
        taken.push_back(node.snapshot(*vault, {{"a", "at " + std::to_string(jump)}}).id);
    }
    const auto vault = node.open();
    std::vector<SnapshotId> read;
    for (const SnapshotRecord& record : vault->reader().snapshots()) read.push_back(record.id);
    CHECK(read == taken);
    const auto latest = vault->reader().latest("share");
    REQUIRE(latest);
    CHECK(latest->id == taken.back());
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("an epoch ends after a day, and when the clock says that it has not begun", "[vault]") {
    TestVault node;
    const auto epoch_at = [&](std::int64_t jump) {
        node.clock.wall += jump;
        const auto vault = node.open();
        const auto writing = vault->begin_writing("share", OpeningKeys::Node);
        REQUIRE(writing);
        return writing->epoch.id;
    };
    const EpochId first = epoch_at(0);
    CHECK(epoch_at(23 * hour_ms) == first);
    const EpochId second = epoch_at(2 * hour_ms);
    CHECK(second != first);
    const EpochId third = epoch_at(-10 * day_ms);  // Before the second was made, it says.
    CHECK(std::set<EpochId>{first, second, third}.size() == 3);
    CHECK(epoch_at(hour_ms) == third);
}
