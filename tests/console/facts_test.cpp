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

TEST_CASE("relays and what is kept for partners are read as the agent writes them", "[console]") {
    const auto node = parse_status(R"({"systems": [{"name": "epr", "relays": [
        {"endpoint": "database", "listen": "192.0.2.10:5432", "place": "Trumpton",
         "listening": false, "problem": "taken", "open": 0}]}, {"name": "pacs"}],
        "hosted": [{"owner": "Chigley", "trust": "cc", "bytes": 5, "quota_bytes": 9, "problem": ""},
                   {"owner": "Trumpton", "trust": "dd", "quota_bytes": 9, "problem": "unreadable"}]})");
    REQUIRE(node);
    REQUIRE(node->systems.at(0).relays.size() == 1);
    CHECK_FALSE(node->systems.at(0).relays.at(0).listening);
    CHECK(node->systems.at(0).relays.at(0).place == "Trumpton");
    CHECK(node->systems.at(0).relays.at(0).problem == "taken");
    CHECK(node->systems.at(1).relays.empty());
    REQUIRE(node->hosted);
    REQUIRE(node->hosted->size() == 2);
    CHECK(node->hosted->at(0).owner == "Chigley");
    CHECK(node->hosted->at(0).bytes == 5U);
    CHECK(node->hosted->at(0).quota_bytes == 9U);
    CHECK_FALSE(node->hosted->at(1).bytes);
    CHECK_FALSE(parse_status(R"({"systems": [], "hosted": null})")->hosted);
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
