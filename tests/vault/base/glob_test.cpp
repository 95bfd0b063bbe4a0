#include "vault/base/glob.h"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

bool matches(std::string_view pattern, std::string_view path, bool folder = false) {
    auto glob = Glob::parse(pattern);
    INFO(pattern);
    REQUIRE(glob);
    return glob->matches(path, folder);
}

}  // namespace

TEST_CASE("a pattern without a slash is for names at any depth", "[glob]") {
    CHECK(matches("*.tmp", "a.tmp"));
    CHECK(matches("*.tmp", "x/y/a.tmp"));
    CHECK_FALSE(matches("*.tmp", "a.tmp/x"));
    CHECK(matches("core", "x/core"));
    CHECK_FALSE(matches("core", "x/cores"));
    CHECK_FALSE(matches("/core", "x/core"));
    CHECK(matches("/core", "core"));
}

TEST_CASE("a star stays within a name, two do not", "[glob]") {
    CHECK(matches("a/*/c", "a/b/c"));
    CHECK_FALSE(matches("a/*/c", "a/b/b/c"));
    CHECK(matches("a/**/c", "a/b/b/c"));
    CHECK(matches("a/**/c", "a/c"));
    CHECK_FALSE(matches("a/**/c", "a/bc"));
    CHECK(matches("a/**", "a/b/c"));
    CHECK_FALSE(matches("a/**", "a"));
    CHECK(matches("**/c/d", "c/d"));
    CHECK(matches("**/c/*.h", "x/c/c/y.h"));
    CHECK(matches("**/a*b/**/c*d", "x/aXb/y/z/cd"));
    CHECK_FALSE(matches("**/a*b/**/c*d", "x/aX/b/y/z/cd"));
    CHECK(matches("/a*c*e", "abcbcde"));
    CHECK_FALSE(matches("/a*c*e", "abcbcdef"));
}

TEST_CASE("sets, single bytes and escapes", "[glob]") {
    CHECK(matches("f[0-3x]", "f2"));
    CHECK(matches("f[0-3x]", "fx"));
    CHECK_FALSE(matches("f[0-3x]", "f4"));
    CHECK(matches("f[!0-3]", "f4"));
    CHECK(matches("f[]]", "f]"));
    CHECK(matches("f[a-]", "f-"));
    CHECK(matches("a?c", "abc"));
    CHECK_FALSE(matches("/a?c", "a/c"));
    CHECK_FALSE(matches("/a[!x]c", "a/c"));
    CHECK(matches("a\\*", "a*"));
    CHECK_FALSE(matches("a\\*", "ab"));
    CHECK(matches("\xff*", "\xff\xfe"));
}

TEST_CASE("a slash at the end means folders", "[glob]") {
    CHECK(matches("build/", "x/build", true));
    CHECK_FALSE(matches("build/", "x/build", false));
}

TEST_CASE("a pattern that would take a naive matcher for ever is quick", "[glob]") {
    std::string pattern = "/";
    for (int i = 0; i < 40; ++i) pattern += "*a";
    CHECK_FALSE(matches(pattern + "b", std::string(2000, 'a')));
    pattern = "/";
    for (int i = 0; i < 40; ++i) pattern += "**a*";
    CHECK_FALSE(matches(pattern + "b", std::string(2000, 'a')));
}

TEST_CASE("a wrong pattern is refused", "[glob]") {
    for (const char* pattern : {"", "/", "a[", "a[b", "a[]", "a\\", "[\\"}) {
        INFO(pattern);
        CHECK_FALSE(Glob::parse(pattern));
    }
    CHECK_FALSE(Glob::parse(std::string(5000, 'a')));
    CHECK(parse_globs({"ok", "a["}).error().message == "pattern \"a[\": a '[' without its ']'");
}
