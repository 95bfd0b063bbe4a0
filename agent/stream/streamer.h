// Streamer: keeps a system's snapshots up to the last seconds, by the log of its database.
//
//   a slot holds the log at the source -> a snapshot of the whole system, the base
//   every few seconds: what came of the log -> a tail (tail.h), then the slot lets go of it
//   another process takes a snapshot -> it is the base of the tails to come
//
// What it cannot go on from it begins anew, and says so: a source that has the log no more (this
// node was away for longer than its slot may hold it), another timeline, a base that is gone.
// Blocking; one thread.
#pragma once

#include "agent/stream/tail.h"

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace holdfast::agent {

struct StreamEvent {
    enum class Kind {
        Streaming,  // From `lsn` on, on the base `snapshot`.
        Base,       // A snapshot of the whole system is taken: `text` says why.
        Tail,       // `snapshot` has the log up to `lsn`; `bytes` of it are new.
        Problem,    // `text`; it is tried again.
    };
    Kind kind = Kind::Problem;
    std::string text;
    vault::SnapshotId snapshot;
    std::uint64_t lsn = 0;
    std::uint64_t bytes = 0;
    std::uint64_t behind_bytes = 0;  // Of a tail: what the source had written more.
};

struct StreamSettings {
    std::string state;  // Of the node.
    std::string run;    // Where journals listen.
    unsigned workers = 1;
    std::function<Result<std::unique_ptr<vault::Vault>>()> open_vault;
    /// Snapshots that something stands on, and those that are mounted (vault/prune/erase.h).
    std::function<Result<std::set<vault::SnapshotId>>(const vault::VaultReader&)> in_use;
    std::function<Result<std::set<vault::SnapshotId>>()> attached;
    std::function<void(const StreamEvent&)> tell;
    /// Asked before each snapshot: the system may run elsewhere by now. Errors: Denied.
    std::function<Result<void>()> may_go_on;
    std::atomic<bool>* stop = nullptr;
};

/// Until `stop`. Errors: Invalid (no source of the system streams; the server's settings), Denied
/// (the login, or may_go_on).
Result<void> stream_system(const SystemSettings& system, const Clock& clock,
                           const StreamSettings& settings);

}  // namespace holdfast::agent
