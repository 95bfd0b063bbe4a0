#include "console/session/sessions.h"
#include "tests/console/hand_clock.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::console;

namespace {

const Person ada{"a1", "Ada Marsh", {"operator"}};

}  // namespace

TEST_CASE("a session ends ten minutes after its last request", "[console]") {
    test::HandClock clock;
    Sessions sessions(clock);
    const std::string cookie = sessions.open(ada);
    clock.now_ms += idle_ms_max - 1;
    REQUIRE(sessions.find(cookie) != nullptr);
    CHECK(sessions.find(cookie)->name == "Ada Marsh");
    clock.now_ms += idle_ms_max - 1;
    CHECK(sessions.find(cookie) != nullptr);
    clock.now_ms += idle_ms_max;
    CHECK(sessions.find(cookie) == nullptr);
    CHECK(sessions.count() == 0);
}

TEST_CASE("a session ends twelve hours after its sign-in, however busy it was", "[console]") {
    test::HandClock clock;
    Sessions sessions(clock);
    const std::string cookie = sessions.open(ada);
    const std::int64_t end = clock.now_ms + session_ms_max;
    while (clock.now_ms + idle_ms_max / 2 < end) {
        clock.now_ms += idle_ms_max / 2;
        REQUIRE(sessions.find(cookie) != nullptr);
    }
    clock.now_ms = end;
    CHECK(sessions.find(cookie) == nullptr);
}

TEST_CASE("a session that was signed out is gone, and only it", "[console]") {
    test::HandClock clock;
    Sessions sessions(clock);
    const std::string one = sessions.open(ada);
    const std::string two = sessions.open(ada);
    CHECK(one != two);
    CHECK(one.size() == 64);
    sessions.close(one);
    CHECK(sessions.find(one) == nullptr);
    CHECK(sessions.find(two) != nullptr);
}

TEST_CASE("one person's sessions are bounded: the least used one goes", "[console]") {
    test::HandClock clock;
    Sessions sessions(clock);
    const std::string other = sessions.open({"b2", "Ben Cole", {}});
    const std::string first = sessions.open(ada);
    for (std::size_t i = 1; i < sessions_of_person_max; ++i) {
        ++clock.now_ms;
        (void)sessions.open(ada);
    }
    ++clock.now_ms;
    CHECK(sessions.find(first) != nullptr);  // Used now: no longer the least.
    (void)sessions.open(ada);
    CHECK(sessions.count() == sessions_of_person_max + 1);
    CHECK(sessions.find(first) != nullptr);
    CHECK(sessions.find(other) != nullptr);
}

TEST_CASE("a form token holds for its own browser and its own process alone", "[console]") {
    test::HandClock clock;
    Sessions sessions(clock);
    const std::string token = sessions.form_token("cookie one");
    CHECK(sessions.form_token_holds("cookie one", token));
    CHECK_FALSE(sessions.form_token_holds("cookie two", token));
    CHECK_FALSE(sessions.form_token_holds("cookie one", ""));
    CHECK_FALSE(sessions.form_token_holds("", sessions.form_token("")));
    const Sessions restarted(clock);
    CHECK_FALSE(restarted.form_token_holds("cookie one", token));
}
