#include "agent/main/api.h"

#include "agent/config/node_settings.h"
#include "agent/failover/approval.h"
#include "agent/failover/terms.h"
#include "agent/main/call.h"
#include "agent/main/order_json.h"
#include "agent/main/owner_api.h"
#include "vault/crypto/base64.h"

namespace holdfast::agent {
namespace {

using replicator::HttpRequest;
using replicator::Responder;

class Api {
public:
    Api(const Home& home, const Clock& clock, Engine& engine)
        : home_(&home), clock_(&clock), engine_(&engine) {}

    Result<std::string> list() {
        std::string out = "[";
        for (const Run& run : HF_TRY(engine_->store().runs())) {
            if (out.size() > 1) out += ",";
            out += run_json(run);
        }
        return out + "]";
    }

    Result<std::string> show(const HttpRequest& request) {
        return run_json(HF_TRY(engine_->store().run(HF_TRY(run_id(request)))));
    }

    Result<std::string> drill(const HttpRequest& request) {
        return run_json(HF_TRY(engine_->order_drill(HF_TRY(ordered(request)))));
    }

    Result<std::string> failover(const HttpRequest& request) {
        return run_json(HF_TRY(engine_->order_failover(HF_TRY(ordered(request)))));
    }

    Result<std::string> order(const HttpRequest& request) {
        return order_json(*home_, engine_->store(), HF_TRY(run_id(request)));
    }

    Result<std::string> call(const HttpRequest& request, const std::string& what) {
        const Json body = HF_TRY(body_of(request));
        HF_TRY(call_run(*engine_, HF_TRY(run_id(request)), what, body));
        return show(request);
    }

    Result<std::string> holder(const HttpRequest& request) {
        const std::string* text = request.query_value("owner");
        const TrustId owner =
            text != nullptr ? HF_TRY(TrustId::from_text(*text)) : HF_TRY(load_node(*home_)).trust;
        const std::string& system = request.param("system");
        const auto newest = HF_TRY(engine_->store().newest_holder(owner, system));
        if (!newest) return Error{Errc::NotFound, "nobody ever held " + system};
        const std::string holder = HF_TRY(holder_text(engine_->store(), owner, system));
        return json_text({{"term", newest->term},
                          {"text", holder},
                          {"record", vault::to_base64(newest->record)}});
    }

    Result<std::string> learn(const HttpRequest& request) {
        const Json body = HF_TRY(body_of(request));
        const Buffer record = HF_TRY(vault::from_base64(text_in(body, "record")));
        HF_TRY(take_holder(*home_, engine_->store(), record, clock_->wall_ms()));
        return std::string("{}");
    }

    Result<std::string> report(const HttpRequest& request) {
        return report_json(HF_TRY(engine_->store().run(HF_TRY(run_id(request)))));
    }

private:
    static Result<RunOrder> ordered(const HttpRequest& request) {
        const Json body = HF_TRY(body_of(request));
        RunOrder order = HF_TRY(order_in(body));
        order.ordered_by = text_in(body, "ordered_by");
        if (order.ordered_by.empty()) order.ordered_by = caller_of(request);
        const std::string owner = text_in(body, "owner");
        if (!owner.empty()) order.owner = HF_TRY(TrustId::from_text(owner));
        return order;
    }

    const Home* home_;
    const Clock* clock_;
    Engine* engine_;
};

}  // namespace

replicator::Router control_routes(const Home& home, const Clock& clock, Engine& engine) {
    replicator::Router router;
    const Api api(home, clock, engine);
    const auto on = [&](const char* method, const char* pattern, auto call, unsigned status = 200) {
        router.on(
            method, pattern,
            [own = api, call, status](HttpRequest request, Responder respond) mutable {
                answer(respond, call(own, request), status);
            },
            call_body_bytes_max);
    };
    on("GET", "/runs", [](Api& own, const HttpRequest&) { return own.list(); });
    on("GET", "/runs/{run}", [](Api& own, const HttpRequest& r) { return own.show(r); });
    on("GET", "/runs/{run}/order", [](Api& own, const HttpRequest& r) { return own.order(r); });
    on("GET", "/runs/{run}/report", [](Api& own, const HttpRequest& r) { return own.report(r); });
    on(
        "POST", "/drills", [](Api& own, const HttpRequest& r) { return own.drill(r); }, 202);
    on(
        "POST", "/failovers", [](Api& own, const HttpRequest& r) { return own.failover(r); }, 202);
    on("GET", "/holders/{system}", [](Api& own, const HttpRequest& r) { return own.holder(r); });
    on("POST", "/holders", [](Api& own, const HttpRequest& r) { return own.learn(r); });
    for (const char* what :
         {"approvals", "shares", "release", "pause", "resume", "abort", "stop"}) {
        on("POST", (std::string("/runs/{run}/") + what).c_str(),
           [what](Api& own, const HttpRequest& r) { return own.call(r, what); });
    }
    add_owner_routes(router, home, engine);
    return router;
}

}  // namespace holdfast::agent
