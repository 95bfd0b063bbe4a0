#include "console/facts/facts.h"

#include <catch2/catch.hpp>

using namespace holdfast::console;

TEST_CASE("facts of another type, or missing, are unknown and never good", "[console]") {
    const auto node = parse_status(R"({"name": 7, "trust": "t", "systems": [
        {"name": "epr", "snapshot_ms": "today", "readiness": true, "copies": {}, "drill": []},
        {"name": "pacs", "copies": [{"place": "Trumpton", "proven": "beyond doubt"}]}]})");
    REQUIRE(node);
    const SystemFacts& epr = node->systems.at(0);
    CHECK(epr.snapshot_ms == 0);
    CHECK(epr.readiness.empty());
    CHECK_FALSE(epr.copies);
    CHECK_FALSE(epr.drill);
    CHECK_FALSE(epr.data_age_ms_max);
    REQUIRE(node->systems.at(1).copies);
    CHECK(node->systems.at(1).copies->at(0).proven == Proven::Unknown);
}

TEST_CASE("what is no status is refused", "[console]") {
    for (const char* text : {"", "[]", "{}", R"({"systems": {}})", "{\"systems\": [", "null"}) {
        INFO(text);
        CHECK_FALSE(parse_status(text));
    }
    CHECK_FALSE(parse_runs("{}"));
    CHECK_FALSE(parse_person(R"({"name": "Ada"})"));
}

TEST_CASE("a run is a drill only if it says so", "[console]") {
    const auto runs = parse_runs(R"([{"id": 1, "kind": "drill"}, {"id": 2, "kind": "failover"},
        {"id": 3, "steps": [{"name": "check", "state": "done"}, {"name": "prove", "state": "begun"}]}])");
    REQUIRE(runs);
    CHECK(runs->at(0).drill);
    CHECK_FALSE(runs->at(1).drill);
    CHECK_FALSE(runs->at(2).drill);
    CHECK(runs->at(2).step == "prove");
}
