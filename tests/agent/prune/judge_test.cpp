// Which snapshots rules keep: by hand-counted calendars, and under clocks that lie.
#include "agent/prune/judge.h"
#include "agent/prune/keep_text.h"
#include "agent/prune/simulate.h"
#include "vault/base/clock.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <ctime>

using namespace holdfast;
using namespace holdfast::agent;

namespace {

/// "2026-11-27 06:00", UTC.
std::int64_t at(const std::string& text) {
    std::tm fields{};
    REQUIRE(strptime(text.c_str(), "%Y-%m-%d %H:%M", &fields) != nullptr);
    return static_cast<std::int64_t>(timegm(&fields)) * 1000;
}

class Chain {
public:
    Chain& add(std::int64_t time_ms) {
        vault::SnapshotRecord record;
        record.time = time_ms;
        record.number = records.size() + 1;
        records.push_back(record);
        return *this;
    }
    Chain& add(const std::string& time) { return add(at(time)); }
    std::vector<vault::SnapshotRecord> records;
};

KeepSettings rules(const std::vector<std::string>& words) {
    const auto keep = parse_keep(words);
    REQUIRE(keep);
    return *keep;
}

std::vector<std::string> kept(const std::vector<Verdict>& verdicts) {
    std::vector<std::string> out;
    for (const Verdict& one : verdicts) {
        if (one.keep) out.push_back(format_time(one.record.time).substr(0, 16));
    }
    return out;
}

using Times = std::vector<std::string>;

}  // namespace

TEST_CASE("each rule keeps the newest of its periods", "[prune]") {
    Chain chain;
    chain
        .add("2024-12-30 12:00")  // ISO week 1 of 2025, a Monday.
        .add("2025-01-05 12:00")  // The same week's Sunday.
        .add("2025-01-06 00:00")  // The next week's Monday.
        .add("2026-10-31 23:59")
        .add("2026-11-01 00:00")
        .add("2026-11-26 08:10")
        .add("2026-11-26 08:50")
        .add("2026-11-27 06:00");
    const std::int64_t now = at("2026-11-27 06:30");
    const auto keep = [&](const std::vector<std::string>& words) {
        return kept(judge(chain.records, rules(words), now));
    };
    CHECK(keep({"last=2"}) == Times{"2026-11-26T08:50", "2026-11-27T06:00"});
    CHECK(keep({"hourly=2"}) == Times{"2026-11-26T08:50", "2026-11-27T06:00"});
    CHECK(keep({"daily=3"}) == Times{"2026-11-01T00:00", "2026-11-26T08:50", "2026-11-27T06:00"});
    // 2026-10-31 is a Saturday and 2026-11-01 the Sunday of its week.
    CHECK(keep({"weekly=4"}) ==
          Times{"2025-01-05T12:00", "2025-01-06T00:00", "2026-11-01T00:00", "2026-11-27T06:00"});
    CHECK(keep({"monthly=3"}) == Times{"2025-01-06T00:00", "2026-10-31T23:59", "2026-11-27T06:00"});
    CHECK(keep({"yearly=9"}) == Times{"2024-12-30T12:00", "2025-01-06T00:00", "2026-11-27T06:00"});
    CHECK(keep({"within=26d"}) ==
          Times{"2026-11-26T08:10", "2026-11-26T08:50", "2026-11-27T06:00"});
    CHECK(keep({"within=27d"}).size() == 5);  // From the newest, not from now.
    CHECK(keep({"last=1", "yearly=2"}) == Times{"2025-01-06T00:00", "2026-11-27T06:00"});
}

TEST_CASE("a snapshot is told which rules keep it", "[prune]") {
    Chain chain;
    chain.add("2026-11-26 08:00").add("2026-11-27 06:00");
    const auto verdicts =
        judge(chain.records, rules({"daily=2", "last=1"}), at("2026-11-27 07:00"));
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[0].why == std::vector<std::string>{"daily"});
    CHECK(verdicts[1].why == std::vector<std::string>{"last", "daily", "newest"});
}

TEST_CASE("a time that the ledger does not bear out keeps its snapshot, and spends no rule",
          "[prune]") {
    Chain chain;
    chain.add("2026-11-24 06:00")
        .add("2036-01-01 00:00")  // The clock was ahead.
        .add("2026-11-25 06:00")
        .add("2026-11-26 06:00");
    const auto verdicts = judge(chain.records, rules({"daily=2"}), at("2026-11-26 07:00"));
    CHECK(kept(verdicts) == Times{"2036-01-01T00:00", "2026-11-25T06:00", "2026-11-26T06:00"});
    CHECK(verdicts[1].doubted);
    CHECK(std::ranges::count_if(verdicts, [](const Verdict& one) { return one.doubted; }) == 1);
}

TEST_CASE("a clock that went back takes nothing of the true history", "[prune]") {
    Chain chain;
    for (int day = 1; day <= 20; ++day) chain.add(at("2026-10-01 06:00") + day * day_ms);
    chain.add("2020-01-01 00:00").add("2020-01-02 00:00");
    const auto verdicts = judge(chain.records, rules({"last=1"}), at("2020-01-02 01:00"));
    // Only what the wrong clock wrote is judged: 20 in doubt, the newest, and one that goes.
    CHECK(std::ranges::count_if(verdicts, [](const Verdict& one) { return one.keep; }) == 21);
    CHECK_FALSE(verdicts[20].keep);
}

TEST_CASE("a clock that is ahead now forgets nothing by its own age", "[prune]") {
    Chain chain;
    for (int day = 1; day <= 20; ++day) chain.add(at("2026-10-01 06:00") + day * day_ms);
    const auto before = judge(chain.records, rules({"within=5d"}), at("2026-10-22 06:00"));
    const auto ahead = judge(chain.records, rules({"within=5d"}), at("2099-10-22 06:00"));
    CHECK(kept(before).size() == 6);
    CHECK(kept(ahead) == kept(before));
}

TEST_CASE("times are compared within a chain only", "[prune]") {
    Chain chain;
    chain.add("2026-11-25 06:00").add("2026-11-26 06:00");
    chain.records[0].number = 9;  // A chain that a new one goes on from.
    chain.records[1].chain.digest[0] = 1;
    const auto verdicts = judge(chain.records, rules({"last=1"}), at("2026-11-26 07:00"));
    CHECK_FALSE(verdicts[0].doubted);
    CHECK_FALSE(verdicts[0].keep);
}

TEST_CASE("the newest stays, whatever the rules", "[prune]") {
    Chain chain;
    chain.add("2026-11-25 06:00").add("2026-11-26 06:00");
    CHECK(kept(judge(chain.records, {}, at("2026-11-26 07:00"))) == Times{"2026-11-26T06:00"});
    CHECK(judge({}, rules({"last=1"}), 0).empty());
}

TEST_CASE("a much shorter history is noticed, and a day's thinning is not", "[prune]") {
    Chain chain;
    for (int hour = 0; hour < 40 * 24; ++hour) chain.add(at("2026-10-01 00:00") + hour * hour_ms);
    const auto shortens = [&](const std::vector<std::string>& words) {
        return shortens_history(judge(chain.records, rules(words), chain.records.back().time));
    };
    CHECK(shortens({"last=1"}));
    CHECK(shortens({"daily=29"}));
    CHECK_FALSE(shortens({"daily=31"}));
    CHECK_FALSE(shortens({"hourly=1", "daily=40"}));
    Chain two_days;
    for (int hour = 0; hour < 48; ++hour) two_days.add(at("2026-10-01 00:00") + hour * hour_ms);
    CHECK_FALSE(
        shortens_history(judge(two_days.records, rules({"last=1"}), two_days.records.back().time)));
    CHECK_FALSE(shortens_history({}));
}

TEST_CASE("rules are read and told in the same words", "[prune]") {
    CHECK(keep_text(rules({"within=36h", "daily=7", "last=1", "daily=8"})) ==
          "last 1, daily 8, within 36h");
    CHECK(keep_text(rules({"within=90s", "yearly=1"})) == "yearly 1, within 90s");
    for (const char* wrong : {"daily", "daily=", "daily=0", "daily=-1", "daily=7x", "=7", "dayly=7",
                              "within=7", "within=0d", "daily=1000001", ""}) {
        INFO(wrong);
        const auto keep = parse_keep({wrong});
        REQUIRE_FALSE(keep);
        CHECK(keep.error().code == Errc::Invalid);
    }
}

TEST_CASE("a simulated year ends as its rules say", "[prune]") {
    const std::int64_t now = at("2026-11-27 06:00");
    const Simulation simulated = simulate_year(
        rules({"last=12", "hourly=48", "daily=31", "weekly=8", "monthly=24"}), 5 * minute_ms, now);
    CHECK(simulated.taken == 365 * 288 + 1);
    const auto count = [&](const std::string& rule) {
        return std::ranges::count_if(simulated.kept, [&](const Verdict& one) {
            return std::ranges::find(one.why, rule) != one.why.end();
        });
    };
    CHECK(count("last") == 12);
    CHECK(count("hourly") == 48);
    CHECK(count("daily") == 31);
    CHECK(count("weekly") == 8);
    CHECK(count("monthly") == 13);  // A year touches thirteen months.
    CHECK(simulated.kept.size() < 12u + 48 + 31 + 8 + 13);
    CHECK(simulated.most <= simulated.kept.size() + 288);
    CHECK(simulated.kept.back().record.time == now);
    CHECK(simulated.kept.front().record.time < now - 330 * day_ms);
}

TEST_CASE("of each snapshot that is kept its newest tail is, and no rule counts tails", "[prune]") {
    Chain chain;
    for (int hour = 0; hour < 3; ++hour) {
        chain.add("2026-11-28 0" + std::to_string(hour) + ":00");
        vault::SnapshotRecord& base = chain.records.back();
        base.id.digest[0] = static_cast<std::uint8_t>(hour + 1);
        const vault::SnapshotId id = base.id;
        for (int minute : {10, 20}) {
            chain.add("2026-11-28 0" + std::to_string(hour) + ":" + std::to_string(minute));
            chain.records.back().id.digest[1] = static_cast<std::uint8_t>(minute);
            chain.records.back().id.digest[2] = static_cast<std::uint8_t>(hour);
            chain.records.back().tail_of = id;
        }
    }
    const std::int64_t now = at("2026-11-28 04:00");
    CHECK(kept(judge(chain.records, rules({"last=2"}), now)) ==
          Times{"2026-11-28T01:00", "2026-11-28T01:20", "2026-11-28T02:00", "2026-11-28T02:20"});
    CHECK(kept(judge(chain.records, rules({"daily=1"}), now)) ==
          Times{"2026-11-28T02:00", "2026-11-28T02:20"});
    CHECK(kept(judge(chain.records, rules({"last=1"}), at("2026-11-28 02:30"))) ==
          Times{"2026-11-28T02:00", "2026-11-28T02:10", "2026-11-28T02:20"});
    // A tail that came while the snapshot behind it was copied: that one's time is its beginning.
    chain.records[5].time = at("2026-11-28 02:05");
    for (const Verdict& one : judge(chain.records, rules({"last=2"}), now)) CHECK(!one.doubted);
    chain.records[5].time = at("2026-11-28 02:15");  // Later than the tail behind it.
    CHECK(judge(chain.records, rules({"last=2"}), now)[5].doubted);
}
