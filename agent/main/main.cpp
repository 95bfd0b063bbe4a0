// holdfast-agent: the node's engine, behind its control socket.
//
//     holdfast-agent [--home DIR]
//
// Opens no network port. SIGTERM and SIGINT end it between two steps of each run; mounts, rooms and
// doors go on without it.
#include "agent/control/client.h"
#include "agent/failover/engine.h"
#include "agent/main/api.h"
#include "agent/main/sign_in_desk.h"
#include "agent/main/status_desk.h"
#include "replicator/http/server.h"
#include "replicator/loop/timer.h"
#include "vault/base/file.h"
#include "vault/base/temporary.h"

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace holdfast::agent {
namespace {

constexpr unsigned socket_mode = 0660;

/// What a command that was killed has left half written: prune sweeps too, but need not run here.
Result<void> sweep(const Home& home) {
    for (const std::string& folder : {home.keys, home.state, home.people}) {
        HF_TRY(sweep_temporaries(folder));
    }
    return {};
}

Result<void> run(const Home& home) {
    // What cannot be swept is no reason to leave a hospital without its agent.
    if (const auto swept = sweep(home); !swept) {
        std::fprintf(stderr, "holdfast-agent: %s\n", swept.error().message.c_str());
    }
    const auto loop = HF_TRY(replicator::Loop::make());
    const auto engine = HF_TRY(Engine::open(home, system_clock()));
    HF_TRY(make_folders(home.run, 0755));
    const auto desk = HF_TRY(SignInDesk::make(*loop, home, system_clock()));
    const auto status = HF_TRY(StatusDesk::make(*loop, home, system_clock(), engine->store()));
    replicator::Router router = control_routes(home, system_clock(), *engine);
    desk->add_routes(router);
    status->add_routes(router);
    const auto server = HF_TRY(replicator::HttpServer::make(*loop, std::move(router)));
    HF_TRY(server->listen_unix(control_socket(home.run), socket_mode));
    const auto stop = [&loop] { loop->stop(); };
    const auto on_term = HF_TRY(replicator::SignalWatch::make(*loop, SIGTERM, stop));
    const auto on_int = HF_TRY(replicator::SignalWatch::make(*loop, SIGINT, stop));
    std::printf("holdfast-agent: ready\n");
    std::fflush(stdout);
    loop->run();
    return {};
}

}  // namespace
}  // namespace holdfast::agent

int main(int argc, char** argv) {
    using namespace holdfast::agent;
    std::signal(SIGPIPE, SIG_IGN);
    (void)::prctl(PR_SET_DUMPABLE, 0);
    Home home = Home::standard();
    if (argc == 3 && std::strcmp(argv[1], "--home") == 0) {
        home = Home::at(argv[2]);
    } else if (argc != 1) {
        std::fprintf(stderr, "usage: holdfast-agent [--home DIR]\n");
        return 2;
    }
    const auto done = run(home);
    if (done) return 0;
    std::fprintf(stderr, "holdfast-agent: %s\n", done.error().message.c_str());
    return 1;
}
