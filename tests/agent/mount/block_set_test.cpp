#include "agent/mount/block_set.h"

#include <catch2/catch.hpp>

using namespace holdfast::agent;

TEST_CASE("a block set tells which blocks are new to it", "[mount]") {
    BlockSet set;
    std::vector<BlockRun> fresh;
    set.insert({4090, 10}, fresh);
    CHECK(fresh == std::vector<BlockRun>{{4090, 10}});
    fresh.clear();
    set.insert({4095, 10}, fresh);
    CHECK(fresh == std::vector<BlockRun>{{4100, 5}});
    CHECK(set.count() == 15);
    CHECK(set.runs() == std::vector<BlockRun>{{4090, 15}});
    CHECK(set.end() == 4105);
}

TEST_CASE("a block set is cut at any block", "[mount]") {
    for (const std::uint64_t at : {0U, 1U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 5000U}) {
        BlockSet set;
        std::vector<BlockRun> fresh;
        set.insert({0, 5000}, fresh);
        CHECK(set.erase_from(at) == (at < 5000));
        CHECK(set.count() == at);
        CHECK(set.end() == at);
        cut_runs(fresh, at);
        CHECK(set.runs() == fresh);
    }
}

TEST_CASE("a stretch of a block set ends where membership changes", "[mount]") {
    BlockSet set;
    std::vector<BlockRun> fresh;
    set.insert({10, 5}, fresh);
    CHECK(set.stretch_at(0, 100).count == 10);
    CHECK_FALSE(set.stretch_at(0, 100).held);
    CHECK(set.stretch_at(12, 100).count == 3);
    CHECK(set.stretch_at(12, 2).count == 2);
    set.erase({11, 1});
    CHECK(set.stretch_at(10, 100).count == 1);
    CHECK(set.count() == 4);
}
