#include "agent/source/landing/share.h"

#include "tests/harness/scratch_folder.h"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent::landing;

TEST_CASE("what took the place of a judged file is not removed", "[source][landing]") {
    const test::ScratchFolder scratch;
    scratch.folder("old");
    scratch.file("old/full.bak", "in a snapshot");
    scratch.folder("new");
    scratch.file("new/full.bak", "in none");
    ShareRules rules;
    rules.folder = scratch.path();
    rules.immutable = false;
    const auto share = Share::open(rules);
    REQUIRE(share);
    const auto landed = share->look(0, false);
    REQUIRE(landed);
    REQUIRE(landed->size() == 2);
    const LandedFile& judged = (*landed)[1];
    REQUIRE(judged.path == "old/full.bak");
    std::filesystem::rename(scratch / "old", scratch / "aside");
    std::filesystem::rename(scratch / "new", scratch / "old");
    const auto removed = share->remove(judged);
    REQUIRE_FALSE(removed);
    CHECK(removed.error().code == Errc::Conflict);
    CHECK(std::filesystem::exists(scratch / "old/full.bak"));
    std::filesystem::remove_all(scratch / "old");
    CHECK(share->remove(judged).error().code == Errc::NotFound);
}
