#include "agent/prune/judge.h"

#include "vault/base/clock.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace holdfast::agent {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t shortened_ms_min = 2 * day_ms;

/// Rounds down, also before 1970.
std::int64_t whole(std::int64_t time_ms, std::int64_t unit_ms) {
    return (time_ms - ((time_ms % unit_ms) + unit_ms) % unit_ms) / unit_ms;
}

std::int64_t week_of(std::int64_t time_ms) {
    return whole(time_ms + 3 * day_ms, 7 * day_ms);  // 1970-01-01 was a Thursday.
}

chrono::year_month_day date_of(std::int64_t time_ms) {
    return chrono::year_month_day(chrono::sys_days(chrono::days(whole(time_ms, day_ms))));
}

std::int64_t year_of(std::int64_t time_ms) {
    return static_cast<int>(date_of(time_ms).year());
}

std::int64_t month_of(std::int64_t time_ms) {
    const chrono::year_month_day date = date_of(time_ms);
    return static_cast<int>(date.year()) * std::int64_t{12} + static_cast<unsigned>(date.month());
}

/// Keeps the newest of each of `count` periods.
class Periods {
public:
    Periods(const char* name, const std::optional<std::uint32_t>& count,
            std::int64_t (*period)(std::int64_t))
        : name_(name), left_(count.value_or(0)), period_(period) {}

    /// Newest first.
    void ask(Verdict& verdict) {
        if (left_ == 0) return;
        const std::int64_t period = period_(verdict.record.time);
        if (last_ == period) return;
        last_ = period;
        --left_;
        verdict.why.emplace_back(name_);
    }

private:
    const char* name_;
    std::uint32_t left_;
    std::int64_t (*period_)(std::int64_t);
    std::optional<std::int64_t> last_;
};

/// Within each chain, going back: what is later than something behind it is in doubt. Tails are
/// compared with tails: they go on while the snapshot is copied that the next ones stand on, and
/// that bears the time at which it began.
void doubt(std::vector<Verdict>& verdicts, std::int64_t now_ms) {
    std::vector<Verdict*> order;
    order.reserve(verdicts.size());
    for (Verdict& one : verdicts) order.push_back(&one);
    std::sort(order.begin(), order.end(), [](const Verdict* a, const Verdict* b) {
        return a->record.number > b->record.number;
    });
    std::map<std::pair<ChainId, bool>, std::int64_t> earliest;
    for (Verdict* one : order) {
        const std::pair row(one->record.chain, one->record.tail_of.has_value());
        const auto at = earliest.try_emplace(row, now_ms + clock_slack_ms).first;
        one->doubted = one->record.time > at->second;
        at->second = std::min(at->second, one->record.time);
    }
}

/// The newest of all, and the newest that is no tail.
void keep_newest(std::vector<Verdict>& verdicts) {
    verdicts.back().why.emplace_back("newest");
    if (!verdicts.back().record.tail_of) return;
    for (auto at = verdicts.rbegin(); at != verdicts.rend(); ++at) {
        if (at->record.tail_of) continue;
        at->why.emplace_back("newest");
        return;
    }
}

/// A tail has what the older ones of its base have: so the newest stays as long as the base.
void keep_logs(std::vector<Verdict>& verdicts, std::int64_t now_ms) {
    std::set<vault::SnapshotId> kept;
    for (const Verdict& one : verdicts) {
        if (one.keep && !one.record.tail_of) kept.insert(one.record.id);
    }
    for (auto at = verdicts.rbegin(); at != verdicts.rend(); ++at) {
        if (!at->record.tail_of) continue;
        if (kept.erase(*at->record.tail_of) != 0) at->why.emplace_back("log");
        if (at->record.time > now_ms - tail_recent_ms) at->why.emplace_back("recent log");
        at->keep = !at->why.empty();
    }
}

}  // namespace

std::vector<Verdict> judge(const std::vector<vault::SnapshotRecord>& records,
                           const KeepSettings& rules, std::int64_t now_ms) {
    std::vector<Verdict> verdicts;
    verdicts.reserve(records.size());
    for (const vault::SnapshotRecord& record : records) verdicts.push_back({record, {}, {}, {}});
    if (verdicts.empty()) return verdicts;
    doubt(verdicts, now_ms);
    std::vector<Verdict*> newest_first;
    for (Verdict& one : verdicts) {
        if (!one.doubted && !one.record.tail_of) newest_first.push_back(&one);
    }
    std::stable_sort(
        newest_first.begin(), newest_first.end(),
        [](const Verdict* a, const Verdict* b) { return a->record.time > b->record.time; });
    Periods periods[] = {
        {"hourly", rules.hourly, [](std::int64_t time) { return whole(time, hour_ms); }},
        {"daily", rules.daily, [](std::int64_t time) { return whole(time, day_ms); }},
        {"weekly", rules.weekly, week_of},
        {"monthly", rules.monthly, month_of},
        {"yearly", rules.yearly, year_of}};
    for (std::size_t i = 0; i < newest_first.size(); ++i) {
        Verdict& one = *newest_first[i];
        const std::int64_t age = newest_first.front()->record.time - one.record.time;
        if (i < rules.last.value_or(0)) one.why.emplace_back("last");
        if (rules.within_ms && age <= *rules.within_ms) one.why.emplace_back("within");
        for (Periods& period : periods) period.ask(one);
    }
    keep_newest(verdicts);
    for (Verdict& one : verdicts) {
        if (one.doubted) one.why.emplace_back("its time is in doubt");
        one.keep = !one.why.empty();
    }
    keep_logs(verdicts, now_ms);
    return verdicts;
}

bool shortens_history(const std::vector<Verdict>& verdicts) {
    std::optional<std::int64_t> newest;
    std::optional<std::int64_t> oldest;
    std::optional<std::int64_t> oldest_kept;
    for (const Verdict& one : verdicts) {
        if (one.doubted) continue;
        const std::int64_t time = one.record.time;
        newest = std::max(newest.value_or(time), time);
        oldest = std::min(oldest.value_or(time), time);
        if (one.keep) oldest_kept = std::min(oldest_kept.value_or(time), time);
    }
    if (!newest) return false;
    const std::int64_t before = *newest - *oldest;
    const std::int64_t after = *newest - oldest_kept.value_or(*newest);
    return before - after > shortened_ms_min && after < before / 4 * 3;
}

}  // namespace holdfast::agent
