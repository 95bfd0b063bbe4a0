#include "agent/main/owner_api.h"

#include "agent/config/node_settings.h"
#include "agent/failover/tenancy.h"
#include "agent/main/order_json.h"
#include "vault/store/posix_store.h"
#include "vault/vault_reader.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

using replicator::HttpRequest;
using replicator::Responder;

constexpr std::size_t person_bytes_max = 128;

/// For a report that people read line by line.
std::string plain(std::string text) {
    text.resize(std::min(text.size(), person_bytes_max));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return text;
}

class OwnerApi {
public:
    OwnerApi(const Home& home, Engine& engine) : home_(&home), engine_(&engine) {}

    Result<std::string> order(const HttpRequest& request) {
        const TrustId owner = HF_TRY(owner_in(request));
        const Json body = HF_TRY(body_of(request));
        RunOrder order = HF_TRY(order_in(body));
        order.owner = owner;
        order.ordered_by = HF_TRY(ordered_by(owner, text_in(body, "ordered_by")));
        // The kind is said in full: nothing is the default of the other.
        const std::string kind = text_in(body, "kind");
        if (kind == "drill") return run_json(HF_TRY(engine_->order_drill(order)));
        if (kind == "failover") return run_json(HF_TRY(engine_->order_failover(order)));
        return Error{Errc::Invalid, "kind: expected \"drill\" or \"failover\""};
    }

    Result<std::string> list(const HttpRequest& request) {
        const TrustId owner = HF_TRY(owner_in(request));
        std::string out = "[";
        for (const Run& run : HF_TRY(engine_->store().runs())) {
            if (run.owner != owner) continue;
            if (out.size() > 1) out += ",";
            out += run_json(run);
        }
        return out + "]";
    }

    Result<std::string> show(const HttpRequest& request) {
        return run_json(HF_TRY(run_in(request)));
    }

    Result<std::string> to_sign(const HttpRequest& request) {
        return order_json(*home_, engine_->store(), HF_TRY(run_in(request)).id);
    }

    Result<std::string> report(const HttpRequest& request) {
        return report_json(HF_TRY(run_in(request)));
    }

    Result<std::string> call(const HttpRequest& request) {
        const Run run = HF_TRY(run_in(request));
        HF_TRY(call_run(*engine_, run.id, request.param("call"), HF_TRY(body_of(request))));
        return run_json(HF_TRY(engine_->store().run(run.id)));
    }

private:
    Result<TrustId> owner_in(const HttpRequest& request) const {
        const TrustId owner = HF_TRY(TrustId::from_text(request.param("owner")).within("owner"));
        if (owner != HF_TRY(load_node(*home_)).trust) return owner;
        return Error{Errc::Denied, "this trust's own systems are ordered here, not by link"};
    }

    Result<Run> run_in(const HttpRequest& request) {
        const TrustId owner = HF_TRY(owner_in(request));
        Run run = HF_TRY(engine_->store().run(HF_TRY(run_id(request))));
        if (run.owner == owner) return run;
        return Error{Errc::NotFound, "no run " + request.param("run") + " of yours here"};
    }

    Result<std::string> ordered_by(const TrustId& owner, const std::string& person) const {
        const auto store = HF_TRY(vault::PosixStore::open(tenancy_vault(*home_, owner)));
        const std::string trust = HF_TRY(vault::read_roster(store, owner)).name;
        return trust + " by link, ordered by " + (person.empty() ? "somebody" : plain(person));
    }

    const Home* home_;
    Engine* engine_;
};

}  // namespace

void add_owner_routes(replicator::Router& router, const Home& home, Engine& engine) {
    using Method = Result<std::string> (OwnerApi::*)(const HttpRequest&);
    const auto on = [&](const char* method, const std::string& pattern, Method call,
                        unsigned status = 200) {
        router.on(
            method, "/owners/{owner}/runs" + pattern,
            [own = OwnerApi(home, engine), call, status](HttpRequest request,
                                                         Responder respond) mutable {
                answer(respond, (own.*call)(request), status);
            },
            call_body_bytes_max);
    };
    on("GET", "", &OwnerApi::list);
    on("POST", "", &OwnerApi::order, 202);
    on("GET", "/{run}", &OwnerApi::show);
    on("GET", "/{run}/order", &OwnerApi::to_sign);
    on("GET", "/{run}/report", &OwnerApi::report);
    on("POST", "/{run}/{call}", &OwnerApi::call);
}

}  // namespace holdfast::agent
