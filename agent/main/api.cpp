#include "agent/main/api.h"

#include "agent/config/node_settings.h"
#include "agent/failover/approval.h"
#include "agent/failover/terms.h"
#include "agent/json/json.h"
#include "agent/main/order_json.h"
#include "agent/main/status.h"
#include "vault/base/file.h"
#include "vault/crypto/base64.h"

#include <pwd.h>

#include <charconv>

namespace holdfast::agent {
namespace {

using replicator::HttpRequest;
using replicator::Responder;

constexpr std::uint64_t body_bytes_max = 4 << 20;
constexpr std::uint64_t report_bytes_max = 4 << 20;

Result<std::int64_t> run_id(const HttpRequest& request) {
    const std::string& text = request.param("run");
    std::int64_t id = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return id;
    return Error{Errc::Invalid, "\"" + text + "\": a run has a number (holdfast run list)"};
}

/// The name of who connected, as this machine knows them.
std::string caller_of(const HttpRequest& request) {
    if (!request.peer_uid) return "somebody";
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> room{};
    (void)::getpwuid_r(*request.peer_uid, &entry, room.data(), room.size(), &found);
    return found != nullptr ? entry.pw_name : "user " + std::to_string(*request.peer_uid);
}

void answer(Responder& respond, const Result<std::string>& json, unsigned status = 200) {
    if (json) {
        respond.send(replicator::json_response(status, *json));
    } else {
        respond.fail(json.error());
    }
}

Result<Json> body_of(const HttpRequest& request) {
    if (request.body.empty()) return Json::object();
    return parse_object(as_text(request.body), "the request's body");
}

Result<RunOrder> order_in(const HttpRequest& request) {
    const Json body = HF_TRY(body_of(request));
    RunOrder order;
    order.system = text_in(body, "system");
    order.snapshot = text_in(body, "snapshot");
    order.ordered_by = text_in(body, "ordered_by");
    if (order.ordered_by.empty()) order.ordered_by = caller_of(request);
    const std::string owner = text_in(body, "owner");
    if (!owner.empty()) order.owner = HF_TRY(TrustId::from_text(owner));
    return order;
}

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
        return run_json(HF_TRY(engine_->order_drill(HF_TRY(order_in(request)))));
    }

    Result<std::string> failover(const HttpRequest& request) {
        const Json body = HF_TRY(body_of(request));
        const Run run = HF_TRY(engine_->order_failover(HF_TRY(order_in(request))));
        for (const std::string& share : texts_in(body, "shares")) {
            HF_TRY(engine_->add_share(run.id, HF_TRY(vault::from_base64(share))));
        }
        return run_json(run);
    }

    Result<std::string> order(const HttpRequest& request) {
        return order_json(*home_, engine_->store(), HF_TRY(run_id(request)));
    }

    Result<std::string> approve(const HttpRequest& request) {
        const std::int64_t id = HF_TRY(run_id(request));
        const Json body = HF_TRY(body_of(request));
        const Buffer record = HF_TRY(vault::from_base64(text_in(body, "record")));
        std::optional<Buffer> attestation;
        const std::string attested = text_in(body, "attestation");
        if (!attested.empty()) attestation = HF_TRY(vault::from_base64(attested));
        HF_TRY(engine_->approve(id, record, attestation));
        return show(request);
    }

    Result<std::string> share(const HttpRequest& request) {
        const Json body = HF_TRY(body_of(request));
        HF_TRY(engine_->add_share(HF_TRY(run_id(request)),
                                  HF_TRY(vault::from_base64(text_in(body, "share")))));
        return show(request);
    }

    Result<std::string> ask(const HttpRequest& request,
                            Result<void> (Engine::*what)(std::int64_t)) {
        HF_TRY((engine_->*what)(HF_TRY(run_id(request))));
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
        return dump({{"term", newest->term},
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
        const Run run = HF_TRY(engine_->store().run(HF_TRY(run_id(request))));
        if (run.facts.evidence.empty()) {
            return Error{Errc::NotFound, run.name() + " has no report yet"};
        }
        const Buffer text = HF_TRY(read_file(run.facts.evidence, report_bytes_max));
        return dump({{"file", run.facts.evidence}, {"text", std::string(as_text(text))}});
    }

    Result<std::string> status() { return status_json(*home_, *clock_, engine_->store()); }

private:
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
            body_bytes_max);
    };
    on("GET", "/status", [](Api& own, const HttpRequest&) { return own.status(); });
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
    on("POST", "/runs/{run}/approvals",
       [](Api& own, const HttpRequest& r) { return own.approve(r); });
    on("POST", "/runs/{run}/shares", [](Api& own, const HttpRequest& r) { return own.share(r); });
    on("POST", "/runs/{run}/pause",
       [](Api& own, const HttpRequest& r) { return own.ask(r, &Engine::pause); });
    on("POST", "/runs/{run}/resume",
       [](Api& own, const HttpRequest& r) { return own.ask(r, &Engine::resume); });
    on("POST", "/runs/{run}/abort",
       [](Api& own, const HttpRequest& r) { return own.ask(r, &Engine::abort); });
    on("POST", "/runs/{run}/stop",
       [](Api& own, const HttpRequest& r) { return own.ask(r, &Engine::stop); });
    return router;
}

}  // namespace holdfast::agent
