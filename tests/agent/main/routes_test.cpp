// docs/control-api.md and the router say the same.
#include "agent/control/client.h"
#include "agent/main/api.h"
#include "agent/main/sign_in_desk.h"
#include "agent/main/status_desk.h"
#include "replicator/http/server.h"
#include "replicator/loop/loop.h"
#include "tests/agent/failover/failover_home.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <cctype>
#include <set>
#include <sstream>
#include <thread>

using namespace holdfast;
using namespace holdfast::agent;
using namespace holdfast::test;

namespace {

/// "GET /runs/N/order" of a table's row "| `GET /runs/N/order` | …"; without the query.
std::vector<std::string> documented_routes() {
    const auto text = read_file(std::string(HF_SOURCE_DIR) + "/docs/control-api.md", 1 << 20);
    REQUIRE(text);
    std::vector<std::string> out;
    std::string_view rest = as_text(*text);
    const std::size_t section = rest.find("\n## The replicator");
    rest = rest.substr(0, section);
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (!line.starts_with("| `GET /") && !line.starts_with("| `POST /")) continue;
        const std::string_view route = line.substr(3, line.find('`', 3) - 3);
        out.emplace_back(route.substr(0, route.find('?')));
    }
    return out;
}

/// With "{}" for each part that is a parameter, written SO in the document and {so} in the router.
std::string shape_of(const std::string& route) {
    std::istringstream parts(route.substr(route.find('/') + 1));
    std::string out = route.substr(0, route.find('/'));
    for (std::string part; std::getline(parts, part, '/');) {
        const bool parameter =
            part.starts_with('{') || std::isupper(static_cast<unsigned char>(part[0])) != 0;
        out += "/" + (parameter ? std::string("{}") : part);
    }
    return out;
}

std::set<std::string> shapes_of(const std::vector<std::string>& routes) {
    std::set<std::string> out;
    for (const std::string& one : routes) out.insert(shape_of(one));
    return out;
}

std::string filled(std::string path) {
    for (const auto& [word, value] :
         {std::pair<std::string, std::string>{"/N", "/1"}, {"SYSTEM", "letters"}}) {
        const std::size_t at = path.find(word);
        if (at != std::string::npos) path.replace(at, word.size(), value);
    }
    return path;
}

/// The control socket of a home, answered by a thread.
struct Listening {
    explicit Listening(FailoverHome& home)
        : engine(home.engine()), loop(*replicator::Loop::make()) {
        desk = *SignInDesk::make(*loop, home.home(), system_clock());
        status = *StatusDesk::make(*loop, home.home(), system_clock(), engine->store());
        auto router = control_routes(home.home(), system_clock(), *engine);
        desk->add_routes(router);
        status->add_routes(router);
        server = *replicator::HttpServer::make(*loop, std::move(router));
        REQUIRE(server->listen_unix(control_socket(home.home().run), 0600));
        thread = std::thread([this] {
            loop->run();
            server.reset();
            desk.reset();
            status.reset();
        });
    }
    ~Listening() {
        loop->post([this] { loop->stop(); });
        thread.join();
    }
    std::unique_ptr<Engine> engine;
    std::unique_ptr<replicator::Loop> loop;
    std::unique_ptr<SignInDesk> desk;
    std::unique_ptr<StatusDesk> status;
    std::unique_ptr<replicator::HttpServer> server;
    std::thread thread;
};

}  // namespace

TEST_CASE("the document and the router name the same routes", "[api]") {
    FailoverHome home;
    const auto engine = home.engine();
    const auto loop = *replicator::Loop::make();
    const auto desk = *SignInDesk::make(*loop, home.home(), system_clock());
    const auto status = *StatusDesk::make(*loop, home.home(), system_clock(), engine->store());
    auto router = control_routes(home.home(), system_clock(), *engine);
    desk->add_routes(router);
    status->add_routes(router);
    CHECK(shapes_of(documented_routes()) == shapes_of(router.names()));
    CHECK(documented_routes().size() >= 15);
}

TEST_CASE("every documented route is answered by the running agent", "[api]") {
    FailoverHome home;
    const Listening listening(home);
    for (const std::string& route : documented_routes()) {
        auto client = ControlClient::open(home.home().run);
        REQUIRE(client);
        const bool get = route.starts_with("GET");
        const std::string path = filled(route.substr(route.find('/')));
        const auto answer = get ? client->get(path) : client->post(path, "{}");
        INFO(route << ": " << (answer ? *answer : answer.error().message));
        if (answer) {
            CHECK((answer->starts_with("{") || answer->starts_with("[")));
        } else {
            CHECK(answer.error().message.find("there is nothing at") == std::string::npos);
            CHECK(answer.error().message.find(" takes ") == std::string::npos);
        }
    }
}

TEST_CASE("a crowd that asks for the status is answered with what held when it asked, or later",
          "[api]") {
    FailoverHome home;
    const Listening listening(home);
    std::vector<std::thread> crowd;
    std::atomic<int> answered{0};
    for (int i = 0; i < 24; ++i) {
        crowd.emplace_back([&] {
            const std::int64_t asked_ms = system_clock().wall_ms();
            auto client = ControlClient::open(home.home().run);
            if (!client) return;
            const auto text = client->get("/status");
            const auto status = text ? parse_object(*text, "status") : Result<Json>(text.error());
            if (status && number_in(*status, "time_ms") >= asked_ms) ++answered;
        });
    }
    for (std::thread& one : crowd) one.join();
    CHECK(answered == 24);
}
