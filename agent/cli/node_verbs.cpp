// node run: all processes of a node in one terminal, for trials and tests. Services are systemd's.
#include "agent/cli/context.h"
#include "agent/config/node_settings.h"
#include "agent/process/descriptors.h"
#include "agent/process/program.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <vector>

namespace holdfast::agent::cli {
namespace {

constexpr int stop_seconds = 20;  // Then SIGKILL; mounts and rooms are nobody's children.

struct Part {
    std::string name;
    std::vector<std::string> command;
    pid_t pid = -1;
};

Result<std::vector<Part>> parts_of(const Context& context) {
    const Home home = context.home();
    const NodeSettings node = HF_TRY(load_node(home));
    std::vector<Part> parts;
    Part agent;
    agent.name = "agent";
    agent.command.push_back(HF_TRY(find_program("holdfast-agent")));
    if (context.home_folder) {
        const std::string folder = home.node.substr(0, home.node.rfind('/'));
        agent.command.insert(agent.command.end(), {"--home", folder});
    }
    parts.push_back(std::move(agent));
    const auto add = [&](const char* name, std::vector<std::string> arguments) {
        const auto program = find_program(std::string("holdfast-") + name);
        if (!program) return warn(program.error().message + ": the node runs without it");
        arguments.insert(arguments.begin(), *program);
        parts.push_back({name, std::move(arguments)});
    };
    if (node.peer) {
        add("replicator",
            {"--vault", home.vault, "--tenants", home.tenants, "--state", home.state, "--keys",
             home.keys, "--run", home.run, "--trust", node.trust.hex(), "--name", node.name,
             "--listen", node.peer->listen, "--address", node.peer->address});
    }
    if (node.console) {
        add("console",
            {"--run", home.run, "--state", home.state, "--listen", node.console->listen});
    }
    return parts;
}

Result<void> start(Part& part) {
    Strings arguments(part.command);
    part.pid = ::fork();
    if (part.pid < 0) return Error{Errc::Io, "start " + part.name};
    if (part.pid == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)::setpgid(0, 0);  // Ctrl-C is for us; we stop them in order.
        reset_signals();
        ::execv(arguments.get()[0], arguments.get());
        ::_exit(127);
    }
    fmt::print("{} started ({})\n", part.name, part.pid);
    std::fflush(stdout);
    return {};
}

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&set, number);
    return set;
}

/// The first part that has ended by itself; null if none has.
Part* ended(std::vector<Part>& parts) {
    for (Part& part : parts) {
        int status = 0;
        if (part.pid <= 0 || ::waitpid(part.pid, &status, WNOHANG) != part.pid) continue;
        part.pid = -1;
        return &part;
    }
    return nullptr;
}

void stop(Part& part) {
    if (part.pid <= 0) return;
    (void)::kill(part.pid, SIGTERM);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    const std::time_t deadline = std::time(nullptr) + stop_seconds;
    int status = 0;
    while (::waitpid(part.pid, &status, WNOHANG) == 0) {
        const timespec second{1, 0};
        (void)::sigtimedwait(&set, nullptr, &second);
        if (std::time(nullptr) > deadline) (void)::kill(part.pid, SIGKILL);
    }
    fmt::print("{} stopped\n", part.name);
    part.pid = -1;
}

int node_run(const Context& context) {
    auto parts = parts_of(context);
    if (!parts) return fail(parts.error());
    const sigset_t set = watched_signals();
    (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
    int code = Done;
    for (Part& part : *parts) {
        if (auto started = start(part); !started) code = fail(started.error());
    }
    while (code == Done) {
        const int number = ::sigwaitinfo(&set, nullptr);
        if (number == SIGTERM || number == SIGINT) break;
        if (const Part* part = ended(*parts)) {
            code = fail({Errc::Io, part->name + " ended by itself; the node stops"});
        }
    }
    for (auto part = parts->rbegin(); part != parts->rend(); ++part) stop(*part);
    return code;
}

}  // namespace

void add_node_verbs(Command app, Context& context) {
    Command group = app.add_subcommand("node", "this node's processes");
    group.require_subcommand();
    Command verb = group.add_subcommand("run", "run the node in this terminal, until Ctrl-C");
    verb.footer(
        "Systems that were brought back go on running when the node stops.\n"
        "Example: holdfast node run");
    verb.callback([&context] { context.verb = [&context] { return node_run(context); }; });
}

}  // namespace holdfast::agent::cli
