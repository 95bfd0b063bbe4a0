#include "agent/main/sign_in_desk.h"

#include "agent/people/sign_in.h"
#include "agent/people/sign_in_request.h"
#include "vault/base/json.h"
#include "vault/crypto/random.h"

#include <cstdio>

namespace holdfast::agent {
namespace {

using replicator::HttpRequest;
using replicator::Responder;

std::string json_of(const SignedIn& person) {
    Json out{{"person", person.person.hex()}, {"name", person.name}, {"roles", Json::array()}};
    for (const vault::Role role : person.roles) out["roles"].push_back(vault::role_name(role));
    return json_text(out);
}

void log(const std::string& what) {
    std::fprintf(stderr, "holdfast-agent: sign-in %s\n", what.c_str());
}

void refuse_for_now(Responder& respond, std::int64_t wait_ms, const char* why) {
    const std::string seconds = std::to_string((wait_ms + 999) / 1000);
    auto response = replicator::error_response(
        429, "too_many_tries", std::string(why) + "; try again in " + seconds + " s");
    response.headers.emplace_back("retry-after", seconds);
    respond.send(std::move(response));
}

}  // namespace

SignInDesk::SignInDesk(const Home& home, const Clock& clock, vault::PasswordCost stranger_cost)
    : home_(&home), clock_(&clock), stranger_cost_(stranger_cost), limits_(clock) {
    vault::system_random().fill(stranger_cost_.salt);
}

Result<std::unique_ptr<SignInDesk>> SignInDesk::make(replicator::Loop& loop, const Home& home,
                                                     const Clock& clock,
                                                     vault::PasswordCost stranger_cost) {
    std::unique_ptr<SignInDesk> desk(new SignInDesk(home, clock, stranger_cost));
    desk->pool_ = HF_TRY(replicator::WorkerPool::make(loop, 1, sign_ins_max));
    return desk;
}

void SignInDesk::sign_in(HttpRequest request, Responder respond) {
    auto asked = take_sign_in_request(request.body);
    if (!asked) return respond.fail(asked.error());
    // Refused before the try counts against the name.
    if (pool_->pending() >= sign_ins_max) {
        return refuse_for_now(respond, 2'000, "many are signing in just now");
    }
    if (const std::int64_t wait_ms = limits_.begin(asked->name); wait_ms != 0) {
        return refuse_for_now(respond, wait_ms, "too many tries");
    }
    const std::string name = asked->name;
    auto work = [home = *home_, cost = stranger_cost_, now_ms = clock_->wall_ms(),
                 in = std::move(*asked)] {
        return check_sign_in(home, in.name, in.passphrase, cost, now_ms);
    };
    auto done = [this, name, respond = std::move(respond)](Result<SignedIn> who) mutable {
        if (!who) {
            log("refused");
            return respond.fail(who.error());
        }
        limits_.succeeded(name);
        log("of " + who->name);
        respond.send(replicator::json_response(200, json_of(*who)));
    };
    // There is room: no more wait than are pending.
    const auto submitted = pool_->submit(std::move(work), std::move(done));
    HF_ASSERT(submitted);
}

void SignInDesk::look(const HttpRequest& request, Responder respond) {
    const auto person = vault::PersonId::from_text(request.param("person"));
    if (!person) return respond.fail(person.error());
    const auto who = still_signed_in(*home_, *person, clock_->wall_ms());
    if (!who) return respond.fail(who.error());
    respond.send(replicator::json_response(200, json_of(*who)));
}

void SignInDesk::add_routes(replicator::Router& router) {
    router.on(
        "POST", "/sign-in",
        [this](HttpRequest request, Responder respond) {
            sign_in(std::move(request), std::move(respond));
        },
        sign_in_body_bytes_max);
    router.on("GET", "/sign-in/{person}", [this](const HttpRequest& request, Responder respond) {
        look(request, std::move(respond));
    });
}

}  // namespace holdfast::agent
