#include "replicator/http/router.h"

#include "replicator/http/tunnel.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

RequestHandler nothing() {
    return [](HttpRequest, Responder) {};
}

}  // namespace

TEST_CASE("a route binds its parameters", "[replicator][http]") {
    Router router;
    router.on("GET", "/v1/objects/{tenancy}/{name}", nothing());
    const auto match = router.find("GET", "/v1/objects/north/abc");
    REQUIRE(match.route);
    CHECK(match.params.at("tenancy") == "north");
    CHECK(match.params.at("name") == "abc");
    CHECK_FALSE(router.find("GET", "/v1/objects/north").route);
    CHECK_FALSE(router.find("GET", "/v1/objects/north/").route);
    CHECK_FALSE(router.find("GET", "/v1/objects/north/abc/").route);
    CHECK_FALSE(router.find("GET", "/v1/objects//abc").route);
}

TEST_CASE("literal segments win over parameters, whatever came first", "[replicator][http]") {
    Router router;
    router.on("GET", "/{rest...}", nothing());
    router.on("GET", "/users/{id}", nothing());
    router.on("GET", "/users/me", nothing());
    CHECK(router.find("GET", "/users/me").params.empty());
    CHECK(router.find("GET", "/users/7").params.at("id") == "7");
    CHECK(router.find("GET", "/users/7/x").params.at("rest") == "users/7/x");
    CHECK_FALSE(router.find("GET", "/").route);
}

TEST_CASE("the root and a trailing slash are paths of their own", "[replicator][http]") {
    Router router;
    router.on("GET", "/", nothing());
    router.on("GET", "/restic/{name}/", nothing());
    CHECK(router.find("GET", "/").route);
    CHECK(router.find("GET", "/restic/a/").route);
    CHECK_FALSE(router.find("GET", "/restic/a").route);
}

TEST_CASE("another method is told apart from another path", "[replicator][http]") {
    Router router;
    router.on("GET", "/a", nothing());
    router.on("PUT", "/a", nothing());
    const auto match = router.find("DELETE", "/a");
    CHECK_FALSE(match.route);
    CHECK(match.allowed == "GET, PUT");
    CHECK(router.find("GET", "/b").allowed.empty());
    CHECK(router.find("HEAD", "/a").route == router.find("GET", "/a").route);
}

TEST_CASE("errors read back as they were sent", "[replicator][http]") {
    const auto sent = error_response(Error{Errc::Full, "quota of 3 TB reached"});
    CHECK(sent.status == 507);
    CHECK(error_code_of(sent.body) == "full");
    const Error read = error_from(sent.status, sent.body);
    CHECK(read.code == Errc::Full);
    CHECK(read.message == "full: quota of 3 TB reached");
    CHECK(error_from(404, as_view("<html>")).code == Errc::NotFound);
    CHECK(error_from(500, as_view(R"({"error":7})")).code == Errc::Io);
    CHECK(error_code_of(as_view(R"({"error":{"code":7}})")).empty());
    CHECK(error_code_of(error_response(400, "odd", "not \xff UTF-8").body) == "odd");
}
