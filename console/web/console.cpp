#include "console/web/console.h"

#include "console/style/style.h"
#include "console/web/agent_link.h"
#include "console/web/answers.h"
#include "console/web/identity.h"
#include "console/web/now_routes.h"
#include "console/web/sign_in_routes.h"
#include "replicator/http/fingerprint.h"
#include "replicator/http/server.h"
#include "replicator/loop/tcp_address.h"

namespace holdfast::console {
namespace {

using replicator::HttpRequest;
using replicator::Responder;

constexpr std::string_view icon =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">)"
    R"(<rect width="16" height="16" rx="3" fill="#005eb8"/>)"
    R"(<path d="M4 3v10M12 3v10M4 8h8" stroke="#fff" stroke-width="2"/></svg>)";

void add_file(replicator::Router& router, const char* path, const char* type,
              std::string_view content) {
    router.on("GET", path, [type, content](const HttpRequest&, Responder respond) {
        respond.send(file_answer(type, content));
    });
}

}  // namespace

struct Console::State {
    State(const Clock& clock, AgentLink link)
        : agent(std::move(link)),
          sessions(clock),
          now(clock, agent, sessions),
          sign_in(agent, sessions) {}

    std::uint16_t port = 0;
    std::string fingerprint;
    AgentLink agent;
    Sessions sessions;
    NowRoutes now;
    SignInRoutes sign_in;
    std::unique_ptr<replicator::HttpServer> server;  // Last: its handlers use all of the above.
};

Console::Console(std::unique_ptr<State> state) : state_(std::move(state)) {}
Console::~Console() = default;

Result<std::unique_ptr<Console>> Console::make(replicator::Loop& loop,
                                               const ConsoleSettings& settings,
                                               const Clock& clock) {
    const auto at = HF_TRY(replicator::parse_tcp_address(settings.listen).within("listen"));
    const replicator::TlsIdentity identity = HF_TRY(need_identity(settings.state));
    auto state = std::make_unique<State>(clock, HF_TRY(AgentLink::make(loop, settings.run)));
    state->fingerprint = HF_TRY(replicator::certificate_fingerprint(identity.certificate_pem()));
    replicator::Router router;
    state->now.add_to(router);
    state->sign_in.add_to(router);
    add_file(router, "/style.css", "text/css; charset=utf-8", style_sheet());
    add_file(router, "/icon.svg", "image/svg+xml", icon);
    state->server = HF_TRY(replicator::HttpServer::make(loop, std::move(router)));
    state->port = HF_TRY(state->server->listen_tcp(at.address, at.port, identity,
                                                   replicator::ClientCertificate::None));
    return std::unique_ptr<Console>(new Console(std::move(state)));
}

std::uint16_t Console::port() const {
    return state_->port;
}

const std::string& Console::fingerprint() const {
    return state_->fingerprint;
}

}  // namespace holdfast::console
