#include "console/web/now_routes.h"

#include "console/facts/facts.h"
#include "console/pages/pages.h"
#include "console/web/answers.h"

namespace holdfast::console {

using replicator::HttpRequest;
using replicator::HttpResponse;
using replicator::Responder;

// What one page is made of, while the agent's answers come in.
struct NowRoutes::Gathering {
    std::string cookie;
    Person person;
    Responder respond;
    std::optional<Result<std::string>> standing, status, runs;

    bool complete() const { return standing && status && runs; }
};

void NowRoutes::now(const HttpRequest& request, Responder respond) {
    const std::string cookie = token_cookie(request, session_cookie);
    const Person* person = cookie.empty() ? nullptr : sessions_->find(cookie);
    if (person == nullptr) {
        HttpResponse out = go_to(cookie.empty() ? "/sign-in" : "/sign-in?ended");
        if (!cookie.empty()) clear_cookie(out, session_cookie);
        return respond.send(std::move(out));
    }
    // Shared by three callbacks: the last of them answers.
    auto gathered = std::make_shared<Gathering>(
        Gathering{cookie, *person, std::move(respond), std::nullopt, std::nullopt, std::nullopt});
    const auto ask = [&](const std::string& path, std::optional<Result<std::string>>& into) {
        agent_->get(path, [this, gathered, &into](Result<std::string> answer) {
            into.emplace(std::move(answer));
            if (gathered->complete()) show(*gathered);
        });
    };
    ask("/sign-in/" + person->id, gathered->standing);
    ask("/status", gathered->status);
    ask("/runs", gathered->runs);
}

/// Fills the view, or tells why it cannot be filled.
std::optional<Error> NowRoutes::take(Gathering& gathered, NowView& view) {
    for (const auto* answer : {&gathered.standing, &gathered.status, &gathered.runs}) {
        if (!**answer) return (*answer)->error();
    }
    auto node = parse_status(**gathered.status);
    if (!node) return node.error();
    auto runs = parse_runs(**gathered.runs);
    if (!runs) return runs.error();
    answered_ms_ = clock_->wall_ms();
    view.node = std::move(*node);
    view.runs = std::move(*runs);
    return std::nullopt;
}

void NowRoutes::show(Gathering& gathered) {
    const auto& standing = *gathered.standing;
    if (!standing && standing.error().code == Errc::Denied) {
        sessions_->close(gathered.cookie);
        HttpResponse out = go_to("/sign-in?ended");
        clear_cookie(out, session_cookie);
        return gathered.respond.send(std::move(out));
    }
    NowView view;
    view.person = gathered.person.name;
    view.form_token = sessions_->form_token(gathered.cookie);
    view.now_ms = clock_->wall_ms();
    view.answered_ms = answered_ms_;
    if (const auto silent = take(gathered, view)) view.silence = silent->message;
    gathered.respond.send(html_answer(view.node ? 200 : 503, now_page(view)));
}

void NowRoutes::add_to(replicator::Router& router) {
    router.on("GET", "/", [this](const HttpRequest& request, Responder respond) {
        now(request, std::move(respond));
    });
}

}  // namespace holdfast::console
