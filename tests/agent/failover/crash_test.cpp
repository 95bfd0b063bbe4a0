// The agent is killed at each of its fault points in turn; the next one ends the run.
#include "agent/control/client.h"
#include "agent/failover/holder.h"
#include "agent/process/descriptors.h"
#include "tests/agent/failover/failover_home.h"
#include "vault/base/json.h"
#include "vault/crypto/base64.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>
#include <csignal>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;

namespace {

/// A holdfast-agent process over a home.
class AgentProcess {
public:
    AgentProcess(const std::string& home, int fault) {
        std::array<int, 2> ready{};
        REQUIRE(::pipe2(ready.data(), O_CLOEXEC) == 0);
        Strings arguments({std::string(HF_PROGRAMS) + "/holdfast-agent", "--home", home});
        std::vector<std::string> words = plain_environment();
        if (fault > 0) words.push_back("HOLDFAST_FAULT=" + std::to_string(fault));
        Strings environment(std::move(words));
        pid_ = ::fork();
        if (pid_ == 0) {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)::dup2(ready[1], STDOUT_FILENO);
            ::execve(arguments.get()[0], arguments.get(), environment.get());
            ::_exit(127);
        }
        ::close(ready[1]);
        const Fd from(ready[0]);
        char byte = 0;
        up_ = ::read(from.get(), &byte, 1) == 1;
    }
    ~AgentProcess() {
        ::kill(pid_, SIGTERM);
        if (!ended_) ::waitpid(pid_, nullptr, 0);
    }
    AgentProcess(const AgentProcess&) = delete;
    AgentProcess& operator=(const AgentProcess&) = delete;

    bool up() const { return up_; }
    /// True if it was killed by its fault point meanwhile.
    bool died() {
        int status = 0;
        if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            ended_ = true;
            killed_ = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        }
        return killed_;
    }

private:
    pid_t pid_ = -1;
    bool up_ = false;
    bool ended_ = false;
    bool killed_ = false;
};

/// The newest run as JSON; null if there is none, or nobody answers.
Json newest_run(const Home& home) {
    auto agent = ControlClient::open(home.run);
    if (!agent) return {};
    const auto text = agent->get("/runs");
    if (!text) return {};
    const auto all = parse_object("{\"runs\":" + *text + "}", "runs");
    if (!all || list_in(*all, "runs").empty()) return {};
    return list_in(*all, "runs")[0];
}

std::string newest_state(const Home& home) {
    const Json run = newest_run(home);
    return run.is_object() ? text_in(run, "state") : std::string();
}

/// Waits until the newest run is over or the agent is dead.
std::string run_to_end(AgentProcess& agent, const Home& home) {
    for (int tries = 0; tries < 1200; ++tries) {
        if (agent.died()) return {};
        const std::string state = newest_state(home);
        if (state == "succeeded" || state == "failed" || state == "stuck" || state == "waiting") {
            return state;
        }
        (void)::poll(nullptr, 0, 50);
    }
    return "nothing happened";
}

/// It may die before it answers.
void post(const Home& home, const std::string& path, const std::string& body) {
    auto client = ControlClient::open(home.run);
    if (client) (void)client->post(path, body);
}

/// As the command line signs; anything may fail when the agent dies.
void approve(const Home& home, const TestPerson& person) {
    const Json run = newest_run(home);
    if (!run.is_object() || text_in(run, "state") != "waiting") return;
    const std::string path = "/runs/" + std::to_string(number_in(run, "id"));
    auto client = ControlClient::open(home.run);
    if (!client) return;
    const auto text = client->get(path + "/order");
    if (!text) return;
    const auto order = parse_object(*text, "order");
    REQUIRE(order);
    auto record = vault::parse_record(*vault::from_base64(text_in(*order, "record")));
    REQUIRE(record);
    const auto holder = parse_holder(*record);
    REQUIRE(holder);
    vault::Record words =
        attestation_record({holder_digest(*record), "", "off", 1}, holder->host, holder->term);
    vault::sign(words, person.key);
    vault::sign(*record, person.key);
    const Json body{{"record", vault::to_base64(vault::encode(*record))},
                    {"attestation", vault::to_base64(vault::encode(words))}};
    post(home, path + "/approvals", json_text(body));
}

}  // namespace

TEST_CASE("a drill ends well wherever the agent is killed", "[failover][kill]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const std::string folder = node.folder() + "/home";
    bool died = true;
    int fault = 1;
    for (; died && fault < 200; ++fault) {
        INFO("fault point " << fault);
        {
            AgentProcess victim(folder, fault);
            if (victim.up()) post(node.home(), "/drills", R"({"system": "letters"})");
            (void)run_to_end(victim, node.home());
            died = victim.died();
        }
        AgentProcess heir(folder, 0);
        REQUIRE(heir.up());
        if (newest_state(node.home()).empty()) continue;  // Killed before the order was kept.
        CHECK(run_to_end(heir, node.home()) == "succeeded");
        CHECK(node.remains().find("/drill") == std::string::npos);
    }
    CHECK(fault > 20);
    CHECK(fault < 200);
}

TEST_CASE("a failover ends well wherever the agent is killed, and takes one term",
          "[failover][kill]") {
    if (!can_run_systems()) return;
    FailoverHome node;
    node.add_letters();
    const TestPerson ada = node.add_person("Ada", {vault::Role::Approver});
    const TestPerson ben = node.add_person("Ben", {vault::Role::Operator});
    const std::string folder = node.folder() + "/home";
    bool died = true;
    int fault = 1;
    std::uint64_t term = 0;
    for (; died && fault < 200; ++fault) {
        INFO("fault point " << fault);
        {
            AgentProcess victim(folder, fault);
            if (victim.up()) post(node.home(), "/failovers", R"({"system": "letters"})");
            if (run_to_end(victim, node.home()) == "waiting") approve(node.home(), ada);
            if (run_to_end(victim, node.home()) == "waiting") approve(node.home(), ben);
            for (int tries = 0; tries < 200 && newest_state(node.home()) == "waiting"; ++tries) {
                (void)::poll(nullptr, 0, 20);
            }
            (void)run_to_end(victim, node.home());
            died = victim.died();
        }
        AgentProcess heir(folder, 0);
        REQUIRE(heir.up());
        if (newest_state(node.home()).empty()) continue;  // Killed before the order was kept.
        for (int tries = 0; tries < 20 && run_to_end(heir, node.home()) == "waiting"; ++tries) {
            approve(node.home(), ada);
            approve(node.home(), ben);
            (void)::poll(nullptr, 0, 50);
        }
        CHECK(run_to_end(heir, node.home()) == "succeeded");
        const Json run = newest_run(node.home());
        INFO(json_text(run));
        const auto taken = static_cast<std::uint64_t>(number_in(run["facts"], "term"));
        CHECK(taken == ++term);
        CHECK(list_in(run["facts"], "endpoints").size() == 1);
        post(node.home(), "/runs/" + std::to_string(number_in(run, "id")) + "/stop", "{}");
        for (int tries = 0; tries < 500 && newest_state(node.home()) != "closed"; ++tries) {
            (void)::poll(nullptr, 0, 20);
        }
        CHECK(newest_state(node.home()) == "closed");
    }
    CHECK(fault > 30);
    CHECK(fault < 200);
}
