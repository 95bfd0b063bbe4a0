#include "console/web/sign_in_routes.h"

#include "console/facts/facts.h"
#include "console/pages/pages.h"
#include "console/session/form.h"
#include "console/web/answers.h"
#include "replicator/http/token.h"

namespace holdfast::console {

using replicator::HttpRequest;
using replicator::HttpResponse;
using replicator::Responder;

namespace {

constexpr const char* stale_form =
    "This form was made for another browser, or before this console was started. Nothing was "
    "checked. Please fill it in again.";
constexpr const char* ended_notice =
    "Your session has ended: ten minutes without a page, or twelve hours in all, or what you may "
    "do was changed. No run was touched by that.";

unsigned status_of(const Error& error) {
    if (error.code == Errc::Denied) return 403;
    return error.code == Errc::Unreachable ? 503 : 429;
}

/// What the agent is asked, in one piece of memory that does not move as it is filled.
Buffer question(const std::string& name, const std::string& passphrase) {
    constexpr std::size_t escaped_max = 6;  // "\\u0000"
    Buffer json;
    json.reserve(escaped_max * (name.size() + passphrase.size()) + 64);
    const auto add = [&json](std::string_view text) {
        json.insert(json.end(), text.begin(), text.end());
    };
    add(R"({"name":)");
    append_json_string(json, name);
    add(R"(,"passphrase":)");
    append_json_string(json, passphrase);
    add("}");
    return json;
}

}  // namespace

HttpResponse SignInRoutes::form_page(unsigned status, SignInView view, std::string cookie) const {
    if (cookie.empty()) cookie = replicator::make_token();
    view.form_token = sessions_->form_token(cookie);
    HttpResponse out = html_answer(status, sign_in_page(view));
    set_cookie(out, form_cookie, cookie);
    return out;
}

void SignInRoutes::show_form(const HttpRequest& request, Responder respond) {
    const std::string session = token_cookie(request, session_cookie);
    if (!session.empty() && sessions_->find(session) != nullptr) return respond.send(go_to("/"));
    SignInView view;
    if (request.query_value("ended") != nullptr) view.notice = ended_notice;
    respond.send(form_page(200, std::move(view), token_cookie(request, form_cookie)));
}

void SignInRoutes::sign_in(HttpRequest request, Responder respond) {
    const std::string cookie = token_cookie(request, form_cookie);
    SignInView view;
    const auto form = Form::take(request.body);
    if (!form) {
        view.error = form.error().message + ".";
        return respond.send(form_page(400, std::move(view), cookie));
    }
    view.name = form->value("name");
    if (!sessions_->form_token_holds(cookie, form->value("token"))) {
        view.error = stale_form;
        return respond.send(form_page(403, std::move(view), ""));
    }
    if (view.name.empty() || form->value("passphrase").empty()) {
        view.error = "Enter your name and your passphrase.";
        return respond.send(form_page(400, std::move(view), cookie));
    }
    // A browser has one session: the one that it brings ends here.
    sessions_->close(token_cookie(request, session_cookie));
    agent_->post_secret(
        "/sign-in", question(view.name, form->value("passphrase")),
        [this, name = view.name, cookie, respond = std::move(respond)](
            Result<std::string> answer) mutable { respond.send(outcome(answer, name, cookie)); });
}

HttpResponse SignInRoutes::outcome(const Result<std::string>& answer, const std::string& name,
                                   const std::string& cookie) {
    auto person = answer ? parse_person(*answer) : Result<PersonFacts>(answer.error());
    if (person) {
        HttpResponse out = go_to("/");
        set_cookie(out, session_cookie,
                   sessions_->open(
                       {std::move(person->id), std::move(person->name), std::move(person->roles)}));
        clear_cookie(out, form_cookie);
        return out;
    }
    SignInView view;
    view.name = name;
    view.error = person.error().message + ".";
    return form_page(status_of(person.error()), std::move(view), cookie);
}

void SignInRoutes::sign_out(HttpRequest request, Responder respond) {
    const std::string cookie = token_cookie(request, session_cookie);
    const auto form = Form::take(request.body);
    if (!form || !sessions_->form_token_holds(cookie, form->value("token"))) {
        return respond.fail(403, "denied", "sign out with the button of a page of this console");
    }
    sessions_->close(cookie);
    HttpResponse out = go_to("/sign-in");
    clear_cookie(out, session_cookie);
    respond.send(std::move(out));
}

void SignInRoutes::add_to(replicator::Router& router) {
    router.on("GET", "/sign-in", [this](const HttpRequest& request, Responder respond) {
        show_form(request, std::move(respond));
    });
    router.on(
        "POST", "/sign-in",
        [this](HttpRequest request, Responder respond) {
            sign_in(std::move(request), std::move(respond));
        },
        form_bytes_max);
    router.on(
        "POST", "/sign-out",
        [this](HttpRequest request, Responder respond) {
            sign_out(std::move(request), std::move(respond));
        },
        form_bytes_max);
}

}  // namespace holdfast::console
