#include "agent/config/wording.h"

#include <catch2/catch.hpp>

#include <vector>

using namespace holdfast::agent::config;

TEST_CASE("a slip finds the word that was meant, and no other does", "[config]") {
    const std::vector<std::string_view> words{"port", "path", "passfile", "one_file_system"};
    CHECK(meant("prot", words) == "port");
    CHECK(meant("PORT", words) == "port");
    CHECK(meant("pth", words) == "path");
    CHECK(meant("pass_file", words) == "passfile");
    CHECK(meant("onefilesystem", words) == "one_file_system");
    CHECK(meant("pssfl", words) == "passfile");
    CHECK_FALSE(meant("host", words));
    CHECK_FALSE(meant("x", words));
    CHECK_FALSE(meant("", words));
    CHECK_FALSE(meant(std::string(1'000'000, 'p'), words));
    CHECK_FALSE(meant("port", {}));
}

TEST_CASE("a quotation is safe to show and not too long", "[config]") {
    CHECK(in_quotes("a \"b\"\n\x01\x7f") == "\"a \\\"b\\\"\\n\\u0001\\u007F\"");
    CHECK(in_quotes(std::string(61, 'x')) == "\"" + std::string(60, 'x') + "...\"");
    // 59 bytes, then a letter of two: it is left out whole.
    CHECK(in_quotes(std::string(59, 'x') + "\xc3\xa9zz") == "\"" + std::string(59, 'x') + "...\"");
}

TEST_CASE("alternatives are told as a person would", "[config]") {
    const std::vector<std::string_view> words{"a", "b", "c"};
    CHECK(any_of(words) == "a, b or c");
    CHECK(any_of(std::span(words).first(2)) == "a or b");
    CHECK(any_of(std::span(words).first(1)) == "a");
}
