#include "agent/config/arguments.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent;

namespace {

const PlaceholderValues example_values{"/m", "/r", "127.0.0.1", "5432", {"-c", "archive_mode=off"}};

std::string mistake(const std::string& argument, Placeholders allowed = Placeholders::All) {
    return mistake_in(argument, allowed).value_or("");
}

}  // namespace

TEST_CASE("placeholders are replaced inside arguments", "[config]") {
    const auto out =
        expand({"/bin/x", "{mount}/database", "-h{address}", "{port}{port}", "{run}", "plain"},
               example_values);
    REQUIRE(out);
    CHECK(*out == Arguments{"/bin/x", "/m/database", "-h127.0.0.1", "54325432", "/r", "plain"});
}

TEST_CASE("{postgres_options} becomes as many arguments as there are", "[config]") {
    const Arguments command{"/bin/x", "{postgres_options}", "end"};
    CHECK(names_postgres_options(command));
    CHECK(*expand(command, example_values) == Arguments{"/bin/x", "-c", "archive_mode=off", "end"});
    CHECK(*expand(command, {}) == Arguments{"/bin/x", "end"});
}

TEST_CASE("a value is never looked through for placeholders or split", "[config]") {
    PlaceholderValues odd = example_values;
    odd.mount = "/a {port} b";
    CHECK(*expand({"{mount}"}, odd) == Arguments{"/a {port} b"});
}

TEST_CASE("doubled braces are braces", "[config]") {
    CHECK(*expand({"{{print $1}}", "{{{port}}}"}, example_values) ==
          Arguments{"{print $1}", "{5432}"});
}

TEST_CASE("a placeholder that does not exist is refused with the one that was meant", "[config]") {
    CHECK(mistake("{mnt}/x") == "unknown placeholder {mnt}; did you mean {mount}?");
    CHECK(mistake("{adress}") == "unknown placeholder {adress}; did you mean {address}?");
    CHECK(mistake("{everything}") ==
          "unknown placeholder {everything}; expected {mount}, {run}, {address}, {port} or "
          "{postgres_options}");
    CHECK(mistake("{}") ==
          "unknown placeholder {}; expected {mount}, {run}, {address}, {port} or "
          "{postgres_options}");
    const auto refused = expand({"{mnt}"}, example_values);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Invalid);
    CHECK(refused.error().message ==
          "argument \"{mnt}\": unknown placeholder {mnt}; did you mean {mount}?");
}

TEST_CASE("a brace without its other is refused", "[config]") {
    CHECK(mistake("{port") == "a { without its other; a brace as text is written {{");
    CHECK(mistake("port}") == "a } without its other; a brace as text is written }}");
}

TEST_CASE("{postgres_options} stands alone, in a start command", "[config]") {
    CHECK(mistake("{postgres_options}").empty());
    CHECK(mistake("x{postgres_options}") ==
          "{postgres_options} is several arguments, so it stands alone in its own");
    CHECK(mistake("{postgres_options}", Placeholders::NoPostgresOptions) ==
          "{postgres_options} is for the start command only");
    CHECK(mistake(std::string("a\0b", 3)) == "no argument can hold a zero byte");
}
