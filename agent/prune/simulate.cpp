#include "agent/prune/simulate.h"

#include "vault/base/assert.h"
#include "vault/base/clock.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::int64_t year_ms = 365 * day_ms;

}  // namespace

Simulation simulate_year(const KeepSettings& rules, std::int64_t every_ms, std::int64_t now_ms) {
    HF_ASSERT(every_ms >= minute_ms);
    Simulation out;
    std::vector<vault::SnapshotRecord> records;
    std::int64_t next_prune = now_ms - year_ms + day_ms;
    const std::int64_t count = year_ms / every_ms;
    for (std::int64_t left = count; left >= 0; --left) {
        vault::SnapshotRecord record;
        record.time = now_ms - left * every_ms;
        record.number = out.taken++;
        records.push_back(std::move(record));
        if (records.back().time < next_prune && left != 0) continue;
        next_prune += day_ms;
        out.most = std::max<std::uint64_t>(out.most, records.size());
        out.kept = judge(records, rules, records.back().time);
        std::erase_if(out.kept, [](const Verdict& one) { return !one.keep; });
        records.clear();
        for (const Verdict& one : out.kept) records.push_back(one.record);
    }
    return out;
}

}  // namespace holdfast::agent
