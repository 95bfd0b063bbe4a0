// Signing in and out. The agent decides who is let in; this process never keeps a passphrase.
//
// Thread rule: the loop thread.
#pragma once

#include "console/session/sessions.h"
#include "console/web/agent_link.h"
#include "replicator/http/router.h"

namespace holdfast::console {

class Form;
struct SignInView;

class SignInRoutes {
public:
    /// Both outlive it.
    SignInRoutes(AgentLink& agent, Sessions& sessions) : agent_(&agent), sessions_(&sessions) {}

    /// It outlives the router.
    void add_to(replicator::Router& router);

private:
    void show_form(const replicator::HttpRequest& request, replicator::Responder respond);
    void sign_in(replicator::HttpRequest request, replicator::Responder respond);
    replicator::HttpResponse outcome(const Result<std::string>& answer, const std::string& name,
                                     const std::string& cookie);
    void sign_out(replicator::HttpRequest request, replicator::Responder respond);
    replicator::HttpResponse form_page(unsigned status, SignInView view, std::string cookie) const;

    AgentLink* agent_;
    Sessions* sessions_;
};

}  // namespace holdfast::console
