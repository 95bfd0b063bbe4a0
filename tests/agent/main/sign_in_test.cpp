// Signing in over the control socket.
#include "agent/people/sign_in.h"
#include "agent/control/client.h"
#include "agent/main/api.h"
#include "agent/main/sign_in_desk.h"
#include "replicator/http/client.h"
#include "replicator/http/server.h"
#include "tests/agent/failover/failover_home.h"
#include "vault/base/json.h"
#include "vault/keys/locked_file.h"

#include <catch2/catch.hpp>

#include <vector>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;
using replicator::ClientRequest;
using replicator::HttpReply;

namespace {

// A twentieth of a second: long beside a question, short beside a test.
const vault::PasswordCost cost{3, 24 << 20, {}};

/// A minute from now, and standing still: a slow machine must not outlast a pause.
class StillClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return now_ms_; }
    std::int64_t steady_ns() const override { return now_ms_ * 1'000'000; }

private:
    std::int64_t now_ms_ = system_clock().wall_ms() + 60'000;
};

/// A home whose agent's routes are answered on this thread's loop, while wait() runs it.
class Desk {
public:
    Desk() : engine_(home.engine()), loop_(*replicator::Loop::make()) {
        desk_ = *SignInDesk::make(*loop_, home.home(), clock_, cost);
        auto router = control_routes(home.home(), system_clock(), *engine_);
        desk_->add_routes(router);
        server_ = *replicator::HttpServer::make(*loop_, std::move(router));
        REQUIRE(server_->listen_unix(control_socket(home.home().run), 0600));
        client_ = *replicator::HttpClient::make(*loop_, nullptr);
    }

    vault::PersonId add(const std::string& name, const std::string& passphrase) {
        const auto person = home.add_person(name, {vault::Role::Operator});
        const auto locked = vault::lock_person_key(person.key, name, system_clock().wall_ms(),
                                                   vault::Secret::copy_of(as_view(passphrase)),
                                                   cost, vault::system_random());
        REQUIRE(locked);
        const auto node = open_node(home.home());
        REQUIRE(node);
        const auto book = PeopleBook::load(home.home(), node->vault->roster());
        REQUIRE(book);
        const auto known = book->named(name);
        REQUIRE(known);
        REQUIRE(keep_sign_in(home.home(), known->certificate, *locked));
        return known->certificate.person;
    }

    void ask(const std::string& method, const std::string& path, const std::string& body,
             std::function<void(const HttpReply&)> done) {
        ClientRequest request;
        request.method = method;
        request.path = path;
        request.body.assign(body.begin(), body.end());
        replicator::ClientEvents events;
        ++asked_;
        events.done = [this, done = std::move(done)](Result<HttpReply> reply) {
            ++answered_;
            if (reply) done(*reply);
        };
        const replicator::HttpPeer agent{"http://localhost", control_socket(home.home().run),
                                         std::nullopt, ""};
        client_->start(agent, std::move(request), std::move(events)).detach();
    }

    bool wait() {
        return loop_->run_until([this] { return answered_ == asked_; }, 120'000);
    }

    HttpReply reply_to(const std::string& method, const std::string& path,
                       const std::string& body = "") {
        HttpReply out;
        ask(method, path, body, [&out](const HttpReply& reply) { out = reply; });
        REQUIRE(wait());
        return out;
    }

    FailoverHome home;

private:
    StillClock clock_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<replicator::Loop> loop_;
    std::unique_ptr<SignInDesk> desk_;
    std::unique_ptr<replicator::HttpServer> server_;
    std::unique_ptr<replicator::HttpClient> client_;
    int asked_ = 0;
    int answered_ = 0;
};

std::string sign_in(const std::string& name, const std::string& passphrase) {
    return json_text({{"name", name}, {"passphrase", passphrase}});
}

}  // namespace

TEST_CASE("the agent says who signed in, and whether they still may", "[api]") {
    Desk desk;
    const auto ada = desk.add("Ada", "right \"one\"");
    const HttpReply in = desk.reply_to("POST", "/sign-in", sign_in("Ada", "right \"one\""));
    CHECK(in.status == 200);
    const auto person = parse_object(as_text(in.body), "the answer");
    REQUIRE(person);
    CHECK(text_in(*person, "person") == ada.hex());
    CHECK(texts_in(*person, "roles") == std::vector<std::string>{"operator"});
    CHECK(desk.reply_to("GET", "/sign-in/" + ada.hex()).status == 200);
    CHECK(desk.reply_to("GET", "/sign-in/" + std::string(64, '0')).status == 403);
    CHECK(desk.reply_to("GET", "/sign-in/ada").status == 400);
}

TEST_CASE("a wrong passphrase and an unknown name get one answer, and then must wait", "[api]") {
    Desk desk;
    (void)desk.add("Ada", "right");
    const HttpReply wrong = desk.reply_to("POST", "/sign-in", sign_in("Ada", "wrong"));
    const HttpReply unknown = desk.reply_to("POST", "/sign-in", sign_in("Nobody", "wrong"));
    CHECK(wrong.status == 403);
    CHECK(unknown.status == wrong.status);
    CHECK(unknown.body == wrong.body);
    for (unsigned i = 1; i < free_tries; ++i) {
        CHECK(desk.reply_to("POST", "/sign-in", sign_in("Ada", "wrong")).status == 403);
    }
    // Also the right one: else a pause would tell that it was right.
    const HttpReply paused = desk.reply_to("POST", "/sign-in", sign_in("Ada", "right"));
    CHECK(paused.status == 429);
    CHECK(replicator::error_code_of(paused.body) == "too_many_tries");
    CHECK(paused.header("retry-after") != nullptr);
}

TEST_CASE("a body that is no sign-in is refused, and not repeated", "[api]") {
    Desk desk;
    const HttpReply refused = desk.reply_to("POST", "/sign-in", "{\"passphrase\": \"secret\"}");
    CHECK(refused.status == 400);
    CHECK(as_text(refused.body).find("secret") == std::string::npos);
    const std::string long_name(9'000, 'a');
    CHECK(desk.reply_to("POST", "/sign-in", sign_in(long_name, "x")).status == 413);
}

TEST_CASE("a flood of sign-ins is cut short, and the agent answers meanwhile", "[api]") {
    Desk desk;
    constexpr int flood = 28;  // Below where guessing over many names is slowed.
    int refused = 0;
    int turned_away = 0;
    int done_before_the_question = -1;
    for (int i = 0; i < flood; ++i) {
        desk.ask("POST", "/sign-in", sign_in("name " + std::to_string(i), "x"),
                 [&](const HttpReply& reply) {
                     refused += reply.status == 403 ? 1 : 0;
                     turned_away += reply.status == 429 ? 1 : 0;
                 });
    }
    desk.ask("GET", "/runs", "", [&](const HttpReply& reply) {
        CHECK(reply.status == 200);
        done_before_the_question = refused;
    });
    REQUIRE(desk.wait());
    CHECK(refused + turned_away == flood);
    CHECK(turned_away > 0);
    CHECK(refused >= static_cast<int>(sign_ins_max));
    CHECK(done_before_the_question >= 0);
    CHECK(done_before_the_question < refused);
}
