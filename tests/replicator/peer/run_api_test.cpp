// Runs by link: what of a partner's words passes on to this node's agent. The agent's place on the
// socket is taken by one that writes down what it is asked; with the real one: tests/system.
#include "replicator/peer/run_api.h"
#include "replicator/http/server.h"
#include "replicator/tenancy/refusal.h"
#include "tests/replicator/peer/test_trust.h"

#include <mutex>

namespace holdfast::replicator::test {
namespace {

constexpr const char* anna_run = R"({"id": 4, "system": "epr"})";

/// Listens where the agent would, and keeps "METHOD PATH BODY".
class Listener {
public:
    explicit Listener(const std::string& socket) : loop_(must(Loop::make())) {
        Router router;
        for (const char* method : {"GET", "POST"}) {
            router.on(
                method, "/{all...}",
                [this](HttpRequest request, Responder respond) {
                    const std::lock_guard lock(mutex_);
                    heard_.push_back(request.method + " " + request.path + " " +
                                     std::string(as_text(request.body)));
                    respond.send(json_response(200, anna_run));
                },
                run_body_bytes_max);
        }
        server_ = must(HttpServer::make(*loop_, std::move(router)));
        must(server_->listen_unix(socket, 0600));
        thread_ = std::thread([this] { loop_->run(); });
    }
    ~Listener() {
        loop_->post([this] { loop_->stop(); });
        thread_.join();
        server_.reset();
    }
    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex_);
        return std::exchange(heard_, {});
    }

private:
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<HttpServer> server_;
    std::mutex mutex_;  // Guards heard_.
    std::vector<std::string> heard_;
    std::thread thread_;
};

/// Bert hosts Anna, whose "epr" may run there; Carl is Bert's partner too.
struct Three {
    Three() {
        for (TestTrust* trust : {&anna, &bert, &carl}) trust->start();
        pair_up(bert, anna);
        pair_up(bert, carl);
    }
    void agree_on(std::vector<std::string> systems, std::uint64_t number = 1) {
        Agreement terms = usual_terms(anna, bert);
        terms.number = number;
        terms.may_run = std::move(systems);
        must(anna.control().put_agreement(signed_agreement(terms, anna, bert)));
    }
    HttpReply ask(const TestTrust& who, const std::string& path, const std::string& body) {
        auto http = must(SyncClient::make(&who.tls()));
        const HttpPeer peer{"https://" + bert.settings().address, "", bert.tls().key_hash(), ""};
        if (body.empty()) return must(http.get(peer, path));
        return must(http.post(peer, path, body));
    }
    std::string runs() const { return "/trusts/" + anna.id().hex() + "/runs"; }
    std::string own_runs() const { return "/owners/" + anna.id().hex() + "/runs"; }

    TestTrust anna{"Anna"};
    TestTrust bert{"Bert"};
    TestTrust carl{"Carl"};
};

std::string code(const HttpReply& reply) {
    return error_code_of(reply.body);
}

}  // namespace

TEST_CASE("an owner orders a run of a system that the agreement lets run", "[peer]") {
    Three trusts;
    trusts.agree_on({"epr"});
    Listener agent(trusts.bert.settings().run + "/agent.sock");
    const HttpReply reply =
        trusts.ask(trusts.anna, trusts.runs(),
                   R"({"kind": "drill", "system": "epr", "owner": "somebody else", "ordered_by":)"
                   R"( "root", "shares": ["AAEC"], "command": "rm"})");
    CHECK(reply.status == 200);
    const auto heard = agent.heard();
    REQUIRE(heard.size() == 1);
    // The owner is the path, from the TLS key; what is not named in the interface has gone.
    CHECK(heard[0] == "POST " + trusts.own_runs() +
                          R"( {"kind":"drill","system":"epr","snapshot":"","ordered_by":"root",)"
                          R"("shares":["AAEC"]})");
}

TEST_CASE("whoever is not the owner orders, sees and stops nothing", "[peer]") {
    Three trusts;
    trusts.agree_on({"epr"});
    Listener agent(trusts.bert.settings().run + "/agent.sock");
    const std::string order = R"({"kind": "drill", "system": "epr"})";
    for (const char* rest : {"", "/4", "/4/order", "/4/report"}) {
        CHECK(code(trusts.ask(trusts.carl, trusts.runs() + rest, "")) == "not_yours");
    }
    CHECK(code(trusts.ask(trusts.carl, trusts.runs(), order)) == "not_yours");
    for (const char* call :
         {"approvals", "shares", "release", "pause", "resume", "abort", "stop"}) {
        CHECK(code(trusts.ask(trusts.carl, trusts.runs() + "/4/" + call, "{}")) == "not_yours");
    }
    const TestTrust stranger("Stranger");
    CHECK(code(trusts.ask(stranger, trusts.runs(), order)) == "unknown_peer");
    CHECK(agent.heard().empty());
}

TEST_CASE("what the agreement does not let run cannot be ordered, signed or resumed", "[peer]") {
    Three trusts;
    Listener agent(trusts.bert.settings().run + "/agent.sock");
    const std::string order = R"({"kind": "failover", "system": "epr"})";
    CHECK(code(trusts.ask(trusts.anna, trusts.runs(), order)) == "no_agreement");
    trusts.agree_on({"pacs"});
    CHECK(code(trusts.ask(trusts.anna, trusts.runs(), order)) == "may_not_run");
    CHECK(agent.heard().empty());
    // Run 4 is of "epr": the agent says so; then nothing is passed on.
    for (const auto& [call, body] : {std::pair("approvals", R"({"record": "AAEC"})"),
                                     std::pair("shares", R"({"share": "AAEC"})"),
                                     std::pair("release", R"({"record": "AAEC", "keys": "AAEC"})"),
                                     std::pair("resume", "{}")}) {
        CHECK(code(trusts.ask(trusts.anna, trusts.runs() + "/4/" + call, body)) == "may_not_run");
    }
    for (const std::string& line : agent.heard()) CHECK(line.starts_with("GET "));
    // An owner can always end what runs for it.
    for (const char* call : {"pause", "abort", "stop"}) {
        CHECK(trusts.ask(trusts.anna, trusts.runs() + "/4/" + call, "{}").status == 200);
    }
    CHECK(agent.heard().size() == 3);
}

TEST_CASE("a call that is not in the interface reaches no agent", "[peer]") {
    Three trusts;
    trusts.agree_on({"epr"});
    Listener agent(trusts.bert.settings().run + "/agent.sock");
    for (const char* body :
         {R"({"system": "epr"})", R"({"kind": "", "system": "epr"})", R"({"kind": "drill"})",
          R"({"kind": "Failover", "system": "epr"})", R"({"kind": "drill", "system": 7})",
          R"({"kind": "drill", "system": "epr", "shares": ["%"]})",
          R"({"kind": "drill", "system": "epr", "release": {"record": "AAEC"}})",
          R"({"kind": "drill", "system": "epr", "ordered_by": "root\nSigned: everybody"})", "[]",
          "no JSON"}) {
        INFO(body);
        CHECK(trusts.ask(trusts.anna, trusts.runs(), body).status == 400);
    }
    CHECK(trusts.ask(trusts.anna, trusts.runs() + "/4/order", "{}").status == 404);
    CHECK(trusts.ask(trusts.anna, trusts.runs() + "/4/start", "{}").status == 404);
    CHECK(trusts.ask(trusts.anna, trusts.runs() + "/x/stop", "{}").status == 400);
    CHECK(trusts.ask(trusts.anna, trusts.runs() + "/4%2f..%2fstop/stop", "{}").status >= 400);
    CHECK(agent.heard().empty());
}

TEST_CASE("the owner's own socket carries calls over, and says who asked", "[peer]") {
    Three trusts;
    trusts.agree_on({"epr"});
    Listener agent(trusts.bert.settings().run + "/agent.sock");
    auto control = trusts.anna.control();
    must(control.post_at(trusts.bert.id(), "runs", R"({"kind": "drill", "system": "epr"})"));
    auto heard = agent.heard();
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].find(R"("ordered_by":"")") == std::string::npos);
    CHECK(must(control.get_at(trusts.bert.id(), "runs/4")) == anna_run);
    must(control.post_at(trusts.bert.id(), "runs/4/stop", "{}"));
    heard = agent.heard();
    REQUIRE(heard.size() == 2);
    CHECK(heard[0] == "GET " + trusts.own_runs() + "/4 ");
    CHECK(heard[1] == "POST " + trusts.own_runs() + "/4/stop {}");
    // Nothing else can be posted at a partner by this way.
    CHECK_FALSE(control.post_at(trusts.bert.id(), "have", "{}"));
    CHECK_FALSE(control.post_at(trusts.bert.id(), "runs/4/order", "{}"));
}

TEST_CASE("an agent that is down is told as that, and orders are counted", "[peer]") {
    Three trusts;
    trusts.agree_on({"epr"});
    const std::string order = R"({"kind": "drill", "system": "epr"})";
    const HttpReply reply = trusts.ask(trusts.anna, trusts.runs(), order);
    CHECK(reply.status == 502);
    CHECK(as_text(reply.body).find("agent does not answer") != std::string::npos);
    for (std::size_t i = 1; i < run_orders_an_hour_max; ++i) {
        CHECK(trusts.ask(trusts.anna, trusts.runs(), order).status == 502);
    }
    CHECK(code(trusts.ask(trusts.anna, trusts.runs(), order)) == "too_many_runs");
}

}  // namespace holdfast::replicator::test
