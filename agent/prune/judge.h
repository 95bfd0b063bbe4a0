// Judge: which of a system's snapshots its [keep] rules keep, and why.
//
// Each rule keeps so many: `last` the newest, `hourly` to `yearly` the newest of each of the newest
// hours, ISO weeks … (UTC) that have one, `within` all that are no older than that before the
// newest one. A snapshot stays if one rule keeps it.
//
// Clocks jump, so a time is believed only as far as the order of the ledger bears it out: a
// snapshot that claims to be later than one that was written after it, or than now, is kept and
// told, and no rule counts it. The newest of a system, in the ledger's order, is always kept.
// Tails (agent/stream/tail.h) are not counted: of each snapshot that is kept its newest tail is,
// and all of the last hour.
// Pure functions.
#pragma once

#include "agent/config/system_settings.h"
#include "vault/snapshot/snapshot_record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::agent {

/// How far a snapshot may be ahead of `now` and still be believed.
constexpr std::int64_t clock_slack_ms = 5 * 60'000;

/// So long a tail is kept that a newer one has made needless: somebody may be about to run it.
constexpr std::int64_t tail_recent_ms = 60 * 60'000;

struct Verdict {
    vault::SnapshotRecord record;
    bool keep = false;
    bool doubted = false;          // Its time is not borne out.
    std::vector<std::string> why;  // The rules that keep it: "daily", "newest", "in use".
};

/// `records` are one system's, in the order of VaultReader::snapshots(); verdicts come in the same.
std::vector<Verdict> judge(const std::vector<vault::SnapshotRecord>& records,
                           const KeepSettings& rules, std::int64_t now_ms);

/// True if what stays reaches back less than three quarters as far as what is there, and more than
/// two days of it would go: a slip in the rules, or a clock, rather than a day's thinning.
bool shortens_history(const std::vector<Verdict>& verdicts);

}  // namespace holdfast::agent
