// To whom restored paths belong: by number, by name, mapped, all to one.
#include "agent/restore/owner_rules.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using agent::OwnerRules;

namespace {

vault::Entry entry_of(const std::string& user, std::uint32_t uid, const std::string& group,
                      std::uint32_t gid) {
    vault::Entry entry;
    entry.user = user;
    entry.uid = uid;
    entry.group = group;
    entry.gid = gid;
    return entry;
}

}  // namespace

TEST_CASE("numbers are kept unless a rule says otherwise", "[restore]") {
    OwnerRules rules;
    const auto entry = entry_of("daemon", 4321, "daemon", 1234);
    CHECK(rules.user_of(entry) == 4321);
    CHECK(rules.group_of(entry) == 1234);
    rules.by_name();
    CHECK(rules.user_of(entry) == 1);  // Debian's daemon.
    CHECK(rules.group_of(entry) == 1);
    CHECK(rules.user_of(entry_of("nobody here", 7, "", 8)) == 7);
    CHECK(rules.group_of(entry_of("nobody here", 7, "", 8)) == 8);
}

TEST_CASE("a user is mapped by name first, then by number", "[restore]") {
    OwnerRules rules;
    rules.by_name();
    REQUIRE(rules.map_user("postgres-old=daemon"));
    REQUIRE(rules.map_user("5000=77"));
    REQUIRE(rules.map_group("0=daemon"));
    CHECK(rules.user_of(entry_of("postgres-old", 5000, "", 0)) == 1);
    CHECK(rules.user_of(entry_of("other", 5000, "", 0)) == 77);
    CHECK(rules.user_of(entry_of("root", 9, "", 0)) == 0);
    CHECK(rules.group_of(entry_of("", 0, "", 0)) == 1);
    CHECK(rules.group_of(entry_of("", 0, "", 5)) == 5);
}

TEST_CASE("everything may go to one owner", "[restore]") {
    const auto entry = entry_of("root", 0, "root", 0);
    const auto owner = [&](const std::string& text) {
        OwnerRules rules;
        REQUIRE(rules.map_user("0=99"));
        REQUIRE(rules.all_to(text));
        return std::pair(rules.user_of(entry), rules.group_of(entry));
    };
    CHECK(owner("daemon") == std::pair(1u, 1u));
    CHECK(owner("daemon:sys") == std::pair(1u, 3u));
    CHECK(owner("4000") == std::pair(4000u, 0u));
    CHECK(owner("4000:5000") == std::pair(4000u, 5000u));
    CHECK(owner(":sys") == std::pair(99u, 3u));
}

TEST_CASE("owners that are not there are told", "[restore]") {
    OwnerRules rules;
    for (const char* wrong :
         {"", ":", "nobody-of-this-name", "daemon:nobody-of-this-name", "-1", "4294967295"}) {
        INFO(wrong);
        const auto done = rules.all_to(wrong);
        REQUIRE_FALSE(done);
        CHECK(done.error().code == Errc::Invalid);
    }
    for (const char* wrong : {"", "a", "=b", "a=", "a=nobody-of-this-name"}) {
        INFO(wrong);
        CHECK_FALSE(rules.map_user(wrong));
        CHECK_FALSE(rules.map_group(wrong));
    }
}
