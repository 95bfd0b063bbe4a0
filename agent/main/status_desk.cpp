#include "agent/main/status_desk.h"

#include "agent/main/call.h"
#include "agent/main/status.h"

#include <utility>

namespace holdfast::agent {

using replicator::HttpRequest;
using replicator::Responder;

Result<std::unique_ptr<StatusDesk>> StatusDesk::make(replicator::Loop& loop, const Home& home,
                                                     const Clock& clock, RunStore& store) {
    std::unique_ptr<StatusDesk> desk(new StatusDesk(home, clock, store));
    desk->pool_ = HF_TRY(replicator::WorkerPool::make(loop, 1, 1));
    return desk;
}

void StatusDesk::start() {
    at_work_ = true;
    auto work = [this] { return status_json(*home_, *clock_, *store_); };
    auto done = [this,
                 asked = std::exchange(waiting_, {})](const Result<std::string>& status) mutable {
        for (Responder& one : asked) answer(one, status, 200);
        at_work_ = false;
        if (!waiting_.empty()) start();
    };
    const auto submitted = pool_->submit(std::move(work), std::move(done));
    HF_ASSERT(submitted);  // One at a time, so there is room.
}

void StatusDesk::add_routes(replicator::Router& router) {
    router.on("GET", "/status", [this](const HttpRequest&, Responder respond) {
        waiting_.push_back(std::move(respond));
        if (!at_work_) start();
    });
}

}  // namespace holdfast::agent
