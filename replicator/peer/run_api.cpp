#include "replicator/peer/run_api.h"

#include "replicator/tenancy/refusal.h"
#include "vault/base/clock.h"

#include <algorithm>

namespace holdfast::replicator {
namespace {

constexpr std::uint32_t agent_idle_ms_max = 60'000;

void answer(Responder& respond, Result<HttpReply> reply) {
    if (!reply) {
        return respond.fail(502, "unreachable",
                            "this node's agent does not answer: " + reply.error().message);
    }
    respond.send({reply->status, {{"content-type", "application/json"}}, std::move(reply->body)});
}

std::string runs_of(const TrustId& owner) {
    return "/owners/" + owner.hex() + "/runs";
}

/// Ends what runs; takes nothing.
bool ends(RunCall call) {
    return call == RunCall::Pause || call == RunCall::Abort || call == RunCall::Stop;
}

}  // namespace

RunApi::RunApi(const Core& core, const PeerApi& peers, HttpClient& client, std::string agent_socket)
    : core_(core), peers_(&peers), client_(&client) {
    agent_.base_url = "http://localhost";
    agent_.unix_socket = std::move(agent_socket);
}

void RunApi::add_routes(Router& router) {
    const std::string runs = "/trusts/{trust}/runs";
    const auto see = [&](const std::string& pattern, const char* rest) {
        router.on("GET", pattern, [this, rest](HttpRequest request, Responder respond) {
            look(request, rest, std::move(respond));
        });
    };
    see(runs, "");
    see(runs + "/{run}", "");
    see(runs + "/{run}/order", "/order");
    see(runs + "/{run}/report", "/report");
    router.on(
        "POST", runs,
        [this](HttpRequest request, Responder respond) { order(request, std::move(respond)); },
        run_body_bytes_max);
    router.on(
        "POST", runs + "/{run}/{call}",
        [this](HttpRequest request, Responder respond) { call(request, std::move(respond)); },
        run_body_bytes_max);
}

Result<void> RunApi::may_run(const Partner& owner, const std::string& system) const {
    const auto agreement =
        HF_TRY(core_.promises.in_force(owner.trust, core_.own.trust, core_.clock.wall_ms()));
    if (!agreement) {
        return refuse(Refusal::NoAgreement,
                      "no agreement in date lets systems of " + owner.name + " run here");
    }
    if (std::ranges::find(agreement->may_run, system) != agreement->may_run.end()) return {};
    return refuse(Refusal::MayNotRun, "agreement " + std::to_string(agreement->number) + " of " +
                                          owner.name + " does not let " + system +
                                          " run here: agree on it first");
}

/// Orders that a stolen node key could make would fill the runs' file.
Result<void> RunApi::count_order(const TrustId& owner) {
    std::deque<std::int64_t>& times = orders_ms_[owner];
    const std::int64_t now_ms = core_.clock.wall_ms();
    while (!times.empty() && times.front() <= now_ms - hour_ms) times.pop_front();
    if (times.size() >= run_orders_an_hour_max) {
        return refuse(Refusal::TooManyRuns, "at most " + std::to_string(run_orders_an_hour_max) +
                                                " runs an hour can be ordered by link");
    }
    times.push_back(now_ms);
    return {};
}

void RunApi::ask_agent(const char* method, const std::string& path, std::string body, Then then) {
    ClientRequest ask;
    ask.method = method;
    ask.path = path;
    ask.body.assign(body.begin(), body.end());
    if (!body.empty()) ask.headers = {{"content-type", "application/json"}};
    ask.reply_bytes_max = run_answer_bytes_max;
    ask.idle_ms_max = agent_idle_ms_max;
    ClientEvents events;
    events.done = std::move(then);
    client_->start(agent_, std::move(ask), std::move(events)).detach();
}

void RunApi::pass_on(const std::string& path, std::string body, Responder respond) {
    ask_agent("POST", path, std::move(body),
              [respond = std::move(respond)](Result<HttpReply> reply) mutable {
                  answer(respond, std::move(reply));
              });
}

void RunApi::order(const HttpRequest& request, Responder respond) {
    const auto question = [&]() -> Result<std::pair<TrustId, RunQuestion>> {
        const Partner* owner = HF_TRY(peers_->owner_of(request));
        RunQuestion asked = HF_TRY(parse_run_question(request.body));
        HF_TRY(may_run(*owner, asked.system));
        HF_TRY(count_order(owner->trust));
        return std::pair(owner->trust, std::move(asked));
    }();
    if (!question) return respond.send(refusal_response(question.error()));
    pass_on(runs_of(question->first), encode(question->second), std::move(respond));
}

void RunApi::look(const HttpRequest& request, const std::string& rest, Responder respond) {
    const auto path = [&]() -> Result<std::string> {
        const Partner* owner = HF_TRY(peers_->owner_of(request));
        std::string out = runs_of(owner->trust);
        if (request.params.contains("run")) {
            out += "/" + HF_TRY(run_number(request.param("run")));
        }
        return out + rest;
    }();
    if (!path) return respond.send(refusal_response(path.error()));
    ask_agent("GET", *path, "", [respond = std::move(respond)](Result<HttpReply> reply) mutable {
        answer(respond, std::move(reply));
    });
}

/// Which system the run is of, only the agent knows; so it is asked before what needs an agreement.
void RunApi::call(const HttpRequest& request, Responder respond) {
    const auto known = run_call(request.param("call"));
    if (!known) return respond.fail(404, "not_found", "there is no such call of a run");
    const auto owner = peers_->owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    const auto number = run_number(request.param("run"));
    if (!number) return respond.send(refusal_response(number.error()));
    auto body = run_call_body(*known, request.body);
    if (!body) return respond.send(refusal_response(body.error()));
    const std::string run = runs_of((*owner)->trust) + "/" + *number;
    const std::string path = run + "/" + request.param("call");
    if (ends(*known)) return pass_on(path, *std::move(body), std::move(respond));
    ask_agent("GET", run, "",
              [this, trust = (*owner)->trust, path, body = *std::move(body),
               respond = std::move(respond)](Result<HttpReply> reply) mutable {
                  if (!reply || !reply->ok()) return answer(respond, std::move(reply));
                  const auto allowed = [&]() -> Result<void> {
                      const std::string system = HF_TRY(system_of_run(reply->body));
                      return may_run(*HF_TRY(core_.partners.need(trust)), system);
                  }();
                  if (!allowed) return respond.send(refusal_response(allowed.error()));
                  pass_on(path, std::move(body), std::move(respond));
              });
}

}  // namespace holdfast::replicator
