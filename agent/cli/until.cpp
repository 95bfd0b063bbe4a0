#include "agent/cli/until.h"

#include "agent/source/postgres/log_files.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <vector>

namespace holdfast::agent::cli {
namespace {

/// When the copy that a tail stands on was whole; nothing: it is no tail of a database.
std::optional<std::int64_t> whole_since(const vault::Manifest& manifest) {
    for (const vault::SourceInfo& log : manifest.sources) {
        if (log.kind != postgres::log_kind) continue;
        for (const vault::SourceInfo& source : manifest.sources) {
            if (postgres::log_source_name(source.name) != log.name) continue;
            const Json facts = Json::parse(source.facts, nullptr, false);
            const auto told = facts.is_object() ? facts.find("stop_time_ms") : facts.end();
            if (told == facts.end() || !told->is_number_integer()) return std::nullopt;
            return told->get<std::int64_t>();
        }
    }
    return std::nullopt;
}

}  // namespace

Result<std::int64_t> parse_moment(std::string_view text) {
    namespace chrono = std::chrono;
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0;
    double second = 0;
    char between = 0, zone = 0;
    int used = 0;
    const std::string copy(text);
    const int read = std::sscanf(copy.c_str(), "%4d-%2u-%2u%c%2u:%2u:%lf%c%n", &year, &month, &day,
                                 &between, &hour, &minute, &second, &zone, &used);
    const chrono::year_month_day date{chrono::year(year), chrono::month(month), chrono::day(day)};
    const bool fits = read == 8 && static_cast<std::size_t>(used) == copy.size() &&
                      (between == 'T' || between == ' ') && zone == 'Z' && date.ok() && hour < 24 &&
                      minute < 60 && second >= 0 && second < 60;
    if (!fits) {
        return Error{Errc::Invalid,
                     "\"" + copy + "\": expected a moment in UTC, such as 2026-11-28T02:50:00Z"};
    }
    const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
    return days * day_ms + hour * hour_ms + minute * minute_ms +
           static_cast<std::int64_t>(std::llround(second * 1000));
}

Result<vault::SnapshotRecord> snapshot_until(vault::VaultReader& reader, const std::string& system,
                                             std::int64_t until_ms) {
    std::vector<vault::SnapshotRecord> tails;
    for (const vault::SnapshotRecord& one : reader.snapshots()) {
        if (one.system == system && one.tail_of) tails.push_back(one);
    }
    if (tails.empty()) {
        return Error{Errc::NotFound,
                     "no snapshot of \"" + system +
                         "\" has a streamed log: it can be restored to its snapshots' moments only "
                         "(holdfast snapshots, holdfast stream)"};
    }
    std::ranges::sort(tails, {}, &vault::SnapshotRecord::time);
    // When the copy was whole that tails stand on; and from when to when there is log.
    std::map<vault::SnapshotId, std::optional<std::int64_t>> since;
    std::map<std::int64_t, std::int64_t> reached;
    for (const vault::SnapshotRecord& one : tails) {
        const auto [known, is_new] = since.try_emplace(*one.tail_of);
        if (is_new) known->second = whole_since(HF_TRY(reader.manifest(one)));
        if (!known->second) continue;
        if (*known->second <= until_ms && until_ms <= one.time) return one;
        reached[*known->second] = one.time;
    }
    std::string there;
    for (const auto& [from, to] : reached) {
        there += (there.empty() ? "" : ", ") + format_time(from) + " to " + format_time(to);
    }
    return Error{Errc::NotFound, "no log of \"" + system + "\" reaches " + format_time(until_ms) +
                                     "; there is " + (there.empty() ? "none" : there)};
}

}  // namespace holdfast::agent::cli
