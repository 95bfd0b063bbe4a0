#include "agent/source/journal/change_set.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast::agent::journal;

namespace {

std::vector<std::string> names_since(const ChangeSet& changes, std::uint64_t moment) {
    std::vector<std::string> names;
    for (const NotedName& noted : changes.since(moment)) {
        names.push_back(noted.handle + "/" + noted.name + (noted.deep ? " deep" : ""));
    }
    std::sort(names.begin(), names.end());
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("what was noted after a mark is told, the newest alone", "[source][journal]") {
    ChangeSet changes;
    changes.note("h", "before", false);
    const std::uint64_t first = changes.mark();
    changes.note("h", "both", false);
    changes.note("h", "once", false);
    const std::uint64_t second = changes.mark();
    changes.note("h", "both", false);
    CHECK(names_since(changes, first) == Names{"h/both", "h/once"});
    CHECK(names_since(changes, second) == Names{"h/both"});
    CHECK(changes.size() == 3);
}

TEST_CASE("a folder that came is deep until that is told", "[source][journal]") {
    ChangeSet changes;
    const std::uint64_t first = changes.mark();
    changes.note("h", "folder", true);
    const std::uint64_t second = changes.mark();
    changes.note("h", "folder", false);
    CHECK(names_since(changes, first) == Names{"h/folder deep"});
    CHECK(names_since(changes, second) == Names{"h/folder"});
}

TEST_CASE("handle and name are kept apart", "[source][journal]") {
    ChangeSet changes;
    const std::uint64_t moment = changes.mark();
    changes.note("ab", "c", false);
    changes.note("a", "bc", false);
    changes.note("abc", "", false);
    CHECK(names_since(changes, moment) == Names{"a/bc", "ab/c", "abc/"});
}

TEST_CASE("what is forgotten cannot be asked for", "[source][journal]") {
    ChangeSet changes;
    const std::uint64_t first = changes.mark();
    changes.note("h", "one", false);
    const std::uint64_t second = changes.mark();
    changes.note("h", "two", false);
    changes.forget_before(second);
    CHECK(first < changes.floor());
    CHECK(second >= changes.floor());
    CHECK(names_since(changes, second) == Names{"h/two"});
    CHECK(changes.size() == 1);

    changes.lose_all();
    CHECK(changes.size() == 0);
    CHECK(second < changes.floor());
    CHECK(changes.mark() >= changes.floor());
}

TEST_CASE("names that do not matter are dropped", "[source][journal]") {
    ChangeSet changes;
    const std::uint64_t moment = changes.mark();
    changes.note("in", "a", false);
    changes.note("out", "b", false);
    changes.drop_if([](const NotedName& noted) { return noted.handle == "out"; });
    CHECK(names_since(changes, moment) == Names{"in/a"});
}
