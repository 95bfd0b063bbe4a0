// Transfers: pushes to partners, at most one to each at a time, seen while they run.
//
// A push blocks, so it runs on a pool of its own; what it learnt comes back to the loop and is kept
// before its end is told. Thread rule: the loop thread.
#pragma once

#include "replicator/peer/peer_api.h"
#include "replicator/peer/peer_end.h"
#include "replicator/transfer/push.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::replicator {

constexpr std::size_t transfers_kept = 100;  // Ended ones that are still shown.

struct TransferInfo {
    std::uint64_t id = 0;
    TrustId partner;
    std::string partner_name;
    std::string state;  // "waiting", "running", "done", "failed"
    std::string problem;
    std::uint64_t objects_done = 0;
    std::uint64_t objects_all = 0;
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_all = 0;  // As far as is known yet.
    std::uint64_t entries_done = 0;
    std::uint64_t entries_all = 0;
    std::uint64_t receipts = 0;
    std::int64_t started_ms = 0;
    std::int64_t ended_ms = 0;  // 0: it goes on.

    friend bool operator==(const TransferInfo&, const TransferInfo&) = default;
};

class Transfers {
public:
    /// Both pools: see worker_pool.h. `pushes` must go before this, and stop() before that.
    Transfers(const Core& core, WorkerPool& pushes, std::uint64_t bytes_per_second_max)
        : core_(core), pushes_(&pushes), bytes_per_second_max_(bytes_per_second_max) {}

    /// Answers the id of the new transfer, or of the one that goes on: that is followed by another,
    /// since what is new now may have come too late for it.
    /// Errors: NotFound, Invalid, Denied, Full, Io.
    Result<std::uint64_t> start(const TrustId& partner);
    /// To every partner that has an address and an agreement in date for us as owner. One that
    /// cannot be called (its node was revoked) keeps no other waiting; the first such error is told
    /// if nothing was started at all.
    Result<std::vector<std::uint64_t>> start_all();
    /// The newest first.
    std::vector<TransferInfo> all() const;
    /// Asks all to stop soon.
    void stop();

private:
    struct Running {
        TransferInfo info;
        std::shared_ptr<PushProgress> progress;  // The worker's and the loop's.
        bool again = false;                      // Asked for once more meanwhile.
    };

    Result<PushSettings> settings_for(const Partner& partner);
    void ended(std::uint64_t id, const Result<void>& outcome, const PushReport& report);
    Result<void> keep(const TrustId& partner, const PushReport& report);
    Running* find(std::uint64_t id);

    Core core_;
    WorkerPool* pushes_;
    std::uint64_t bytes_per_second_max_;
    std::uint64_t next_id_ = 1;
    std::deque<Running> transfers_;  // The newest first.
};

}  // namespace holdfast::replicator
