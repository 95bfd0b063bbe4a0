// Released: what an owner's release (vault/keys/release.h) opens here, and who says so.
//
// While the owner's node lives, nobody's shares are needed: it seals the keys of one snapshot to
// this node's box key, two of its people sign for what, and until when, and the two travel with the
// order of a run. Here it is judged when it comes, and once more each time that it opens something:
// a date passes, a person may be disabled.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run_store.h"
#include "vault/keys/release.h"

#include <string>

namespace holdfast::agent {

/// What a run of `system` for `owner` is brought. `snapshot`: the beginning of the id that was
/// asked for; empty: any. Errors: Denied (another host, owner, system or snapshot; over its date;
/// not signed by two of the owner's people), Corrupt.
Result<vault::Release> judge_release(const Home& home, const TrustId& owner,
                                     const std::string& system, const std::string& snapshot,
                                     View record, std::int64_t now_ms);

/// The keys of the release that a run was brought; nothing if it has none.
/// Errors: as judge_release(), and those of ReleaseKeys::open().
Result<std::optional<vault::ReleaseKeys>> released_keys(const Home& home, RunStore& runs,
                                                        const Run& run, std::int64_t now_ms);

/// What the report says of it: what was released to whom, what for, until when, by whom.
/// Changes nothing if the run has none.
Result<void> note_release(const Home& home, RunStore& runs, Run& run);

}  // namespace holdfast::agent
