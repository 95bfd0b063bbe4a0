// Status desk: GET /status of the control socket.
//
// To tell the status takes the vault to be opened and the replicator to be asked, so a worker does
// it. All who asked while it worked share the next answer: it is never older than the question, and
// a crowd costs what one does.
//
// Thread rule: the loop thread.
#pragma once

#include "agent/config/home.h"
#include "agent/failover/run_store.h"
#include "replicator/http/router.h"
#include "replicator/loop/worker_pool.h"
#include "vault/base/clock.h"

#include <memory>
#include <vector>

namespace holdfast::agent {

class StatusDesk {
public:
    /// All that it is given outlives it. Errors: Io.
    static Result<std::unique_ptr<StatusDesk>> make(replicator::Loop& loop, const Home& home,
                                                    const Clock& clock, RunStore& store);

    /// It outlives the router.
    void add_routes(replicator::Router& router);

private:
    StatusDesk(const Home& home, const Clock& clock, RunStore& store)
        : home_(&home), clock_(&clock), store_(&store) {}

    void start();

    const Home* home_;
    const Clock* clock_;
    RunStore* store_;
    bool at_work_ = false;
    std::vector<replicator::Responder> waiting_;
    std::unique_ptr<replicator::WorkerPool> pool_;
};

}  // namespace holdfast::agent
