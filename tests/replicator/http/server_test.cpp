#include "http_fixture.h"

#include "replicator/loop/timer.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

struct Folder {
    std::string path = make();
    ~Folder() { std::filesystem::remove_all(path); }
    static std::string make() {
        char name[] = "/tmp/holdfast-http-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        return name;
    }
};

}  // namespace

TEST_CASE("a request brings path, query, headers and the peer's key", "[replicator][http]") {
    Site site;
    Router router;
    std::optional<HttpRequest> seen;
    router.on("POST", "/v1/{what}", [&](HttpRequest request, Responder respond) {
        seen = std::move(request);
        respond.send({201, {{"x-list", "abc"}}, Buffer{'o', 'k'}});
    });
    ServerOptions options;
    options.extra_headers = {"x-holdfast-list"};
    site.serve(std::move(router), options);
    auto request = upload("/v1/a%20b?x=1&y=%2F&z", Buffer{1, 2, 3}, "POST");
    request.headers = {{"X-Holdfast-List", "seven"}, {"Content-Type", "application/test"}};
    const auto reply = site.ask(std::move(request));
    REQUIRE(reply);
    CHECK(reply->status == 201);
    CHECK(*reply->header("X-List") == "abc");
    CHECK(text(reply->body) == "ok");
    REQUIRE(seen);
    CHECK(seen->method == "POST");
    CHECK(seen->path == "/v1/a b");
    CHECK(seen->param("what") == "a b");
    CHECK(*seen->query_value("x") == "1");
    CHECK(*seen->query_value("y") == "/");
    CHECK(*seen->query_value("z") == "");
    CHECK(*seen->header("x-holdfast-list") == "seven");
    CHECK(*seen->header("content-type") == "application/test");
    CHECK(seen->remote == "127.0.0.1");
    CHECK(seen->body == Buffer{1, 2, 3});
    CHECK(seen->peer_key == site.client_identity.key_hash());
}

TEST_CASE("a handler may refuse a peer by its key", "[replicator][http]") {
    Site site;
    Router router;
    const KeyHash known = site.client_identity.key_hash();
    router.on("GET", "/", [known](const HttpRequest& request, Responder respond) {
        if (request.peer_key != known) return respond.fail({Errc::Denied, "who are you?"});
        respond.send({});
    });
    site.serve(std::move(router));
    CHECK(site.get("/")->status == 200);
    const auto stranger = make_identity("client");
    const auto refused = site.ask({}, &stranger);
    REQUIRE(refused);
    CHECK(refused->status == 403);
    CHECK(error_code_of(refused->body) == "denied");
}

TEST_CASE("a client without a certificate is refused where one is required", "[replicator][http]") {
    Site site;
    Router router;
    bool called = false;
    router.on("GET", "/", [&](const HttpRequest&, Responder) { called = true; });
    site.serve(std::move(router));
    const auto reply = site.ask_as(site.peer(), {}, nullptr);
    REQUIRE_FALSE(reply);
    // The server's alert may be overtaken by the reset of the connection.
    CHECK((reply.error().code == Errc::Denied || reply.error().code == Errc::Unreachable));
    CHECK_FALSE(called);
}

TEST_CASE("where a certificate is optional, both kinds are served", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/", [](const HttpRequest& request, Responder respond) {
        respond.send(json_response(200, request.peer_key ? "\"known\"" : "\"unknown\""));
    });
    site.serve(std::move(router), {}, ClientCertificate::Optional);
    CHECK(text(site.ask_as(site.peer(), {}, nullptr)->body) == "\"unknown\"");
    CHECK(text(site.get("/")->body) == "\"known\"");
}

TEST_CASE("TLS 1.2 is refused", "[replicator][http]") {
    Site site;
    site.serve({}, {}, ClientCertificate::None);
    bool connected = true;
    bool modern = false;
    site.meanwhile([&] {
        connected = RawClient(site.port, nullptr, TLS1_2_VERSION).connected;
        modern = RawClient(site.port, nullptr).connected;
    });
    CHECK_FALSE(connected);
    CHECK(modern);
}

TEST_CASE("unknown paths and methods have stable codes", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/a", say("a"));
    site.serve(std::move(router));
    const auto missing = site.get("/b");
    CHECK(missing->status == 404);
    CHECK(error_code_of(missing->body) == "not_found");
    const auto wrong = site.ask(upload("/a", {1}));
    CHECK(wrong->status == 405);
    CHECK(error_code_of(wrong->body) == "method_not_allowed");
    CHECK(*wrong->header("allow") == "GET");
}

TEST_CASE("a body over the limit gets a code and no handler", "[replicator][http]") {
    Site site;
    Router router;
    int calls = 0;
    const auto count = [&](const HttpRequest&, Responder respond) {
        ++calls;
        respond.send({});
    };
    router.on("PUT", "/small", count, 10);
    router.on("PUT", "/usual", count);
    site.serve(std::move(router));
    CHECK(site.ask(upload("/small", Buffer(10)))->status == 200);
    CHECK(calls == 1);
    for (const std::size_t bytes : {11u, 2u << 20, 64u << 20}) {
        const auto reply = site.ask(upload("/small", Buffer(bytes)));
        REQUIRE(reply);
        CHECK(reply->status == 413);
        CHECK(error_code_of(reply->body) == "body_too_large");
    }
    CHECK(site.ask(upload("/usual", Buffer((1 << 20) + 1)))->status == 413);
    CHECK(calls == 1);
}

TEST_CASE("a head over the limit gets a code, far over it an end", "[replicator][http]") {
    Site site;
    Router router;
    int calls = 0;
    router.on("GET", "/{x...}", [&](const HttpRequest&, Responder respond) {
        ++calls;
        respond.send({});
    });
    site.serve(std::move(router));
    CHECK(site.get("/" + std::string(15'000, 'x'))->status == 200);
    const auto over = site.get("/" + std::string(20'000, 'x'));
    REQUIRE(over);
    CHECK(over->status == 431);
    CHECK(error_code_of(over->body) == "headers_too_large");
    ClientRequest request;
    request.headers = {{"user-agent", std::string(20'000, 'x')}};
    CHECK(site.ask(std::move(request))->status == 431);
    CHECK_FALSE(site.get("/" + std::string(60'000, 'x')));
    CHECK(calls == 1);
}

TEST_CASE("a body without a length, or with nonsense for one, is refused", "[replicator][http]") {
    Site site;
    Router router;
    bool called = false;
    router.on("POST", "/", [&](const HttpRequest&, Responder) { called = true; });
    site.serve(std::move(router));
    const auto talk = [&](const std::string& words) {
        std::string answer;
        site.meanwhile([&] {
            RawClient client(site.port, &site.client_identity);
            client.send(words);
            answer = client.some();
        });
        return answer;
    };
    const std::string start = "POST / HTTP/1.1\r\nhost: x\r\n";
    CHECK(talk(start + "\r\n").find("length_required") != std::string::npos);
    CHECK(talk(start + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n").find("length_required") !=
          std::string::npos);
    for (const char* bad :
         {"-1", "1e3", "0x10", "9999999999999999999", "5, 5", "5\r\ncontent-length: 6"}) {
        CHECK(talk(start + "content-length: " + bad + "\r\n\r\nhello").find("bad_request") !=
              std::string::npos);
    }
    CHECK_FALSE(called);
}

TEST_CASE("what is no HTTP ends the connection", "[replicator][http]") {
    Site site;
    site.serve({});
    site.meanwhile([&] {
        for (const char* words :
             {"\x16\x03\x01 rubbish\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\n\r\n",
              "GET / HTTP/1.1\r\nupgrade: h2c\r\n\r\n", "GET / HTTP/1.1\r\nupgrade: odd\r\n\r\n"}) {
            RawClient client(site.port, &site.client_identity);
            client.send(words);
            client.rest();  // Returns, since the server closes.
        }
    });
    CHECK(site.get("/")->status == 404);
}

TEST_CASE("requests in one flight are answered in order", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/{n}", [](const HttpRequest& request, Responder respond) {
        respond.send(json_response(200, request.param("n")));
    });
    auto timer = *Timer::make(*site.loop);
    router.on("GET", "/late", [&](const HttpRequest&, Responder respond) {
        timer.once(20, [respond = std::move(respond)]() mutable {
            respond.send(json_response(200, "late"));
        });
    });
    site.serve(std::move(router));
    std::string answers;
    site.meanwhile([&] {
        RawClient client(site.port, &site.client_identity);
        client.send(
            "GET /1 HTTP/1.1\r\n\r\nGET /late HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"
            "GET /3 HTTP/1.1\r\nconnection: close\r\n\r\n");
        answers = client.rest();
    });
    std::string bodies;
    for (std::size_t at = 0; (at = answers.find("\r\n\r\n", at)) != std::string::npos;) {
        at += 4;
        bodies += answers.substr(at, std::min(answers.find("HTTP/", at), answers.size()) - at);
    }
    CHECK(bodies == "1late23");
}

TEST_CASE("HEAD has the headers of GET and no body", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/a", say("twelve bytes"));
    site.serve(std::move(router));
    ClientRequest request;
    request.method = "HEAD";
    request.path = "/a";
    const auto reply = site.ask(std::move(request));
    REQUIRE(reply);
    CHECK(*reply->header("content-length") == "12");
    CHECK(reply->body.empty());
}

TEST_CASE("a header cannot smuggle another", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/", [](const HttpRequest&, Responder respond) {
        respond.send({200, {{"x-name", "a\r\nset-cookie: b"}}, {}});
    });
    site.serve(std::move(router));
    const auto reply = site.get("/");
    CHECK(*reply->header("x-name") == "a  set-cookie: b");
    CHECK(reply->header("set-cookie") == nullptr);
}

TEST_CASE("an unanswered request answers itself", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/", [](const HttpRequest&, Responder) {});
    site.serve(std::move(router));
    const auto reply = site.get("/");
    CHECK(reply->status == 500);
    CHECK(error_code_of(reply->body) == "no_answer");
}

TEST_CASE("a peer has only so many connections", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/", say("in"));
    ServerOptions options;
    options.limits.connections_per_peer_max = 2;
    site.serve(std::move(router), options);
    std::string third;
    std::string other;
    const auto stranger = make_identity("other");
    const char* const words = "GET / HTTP/1.1\r\n\r\n";
    site.meanwhile([&] {
        RawClient a(site.port, &site.client_identity);
        RawClient b(site.port, &site.client_identity);
        a.send(words);
        b.send(words);
        a.some();
        b.some();
        RawClient c(site.port, &site.client_identity);
        c.send(words);
        third = c.some();
        RawClient d(site.port, &stranger);
        d.send(words);
        other = d.some();
    });
    CHECK(third.find("429") != std::string::npos);
    CHECK(third.find("too_many_connections") != std::string::npos);
    CHECK(other.find("200 OK") != std::string::npos);
    site.until([&] { return site.server->connection_count() == 0; });
    CHECK(site.get("/")->status == 200);
}

TEST_CASE("a listener accepts only so many connections at a time", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/", say("in"));
    ServerOptions options;
    options.limits.connections_max = 1;
    site.serve(std::move(router), options);
    bool waited = false;
    site.meanwhile([&] {
        auto first = std::make_unique<RawClient>(site.port, &site.client_identity);
        std::thread second([&] {
            RawClient client(site.port, &site.client_identity);
            client.send("GET / HTTP/1.1\r\n\r\n");
            waited = client.some().find("200 OK") != std::string::npos;
        });
        first->send("GET / HTTP/1.1\r\n\r\n");
        first->some();
        first.reset();
        second.join();
    });
    CHECK(waited);
}

TEST_CASE("an idle connection is closed", "[replicator][http]") {
    Site site;
    ServerOptions options;
    options.limits.idle_seconds = 1;
    site.serve({}, options);
    site.meanwhile([&] {
        RawClient silent(site.port, &site.client_identity);
        silent.rest();
        RawClient halting(site.port, &site.client_identity);
        halting.send("GET / HT");
        halting.rest();
        RawClient owing(site.port, &site.client_identity);
        owing.send("PUT / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhel");
        owing.rest();
    });
    site.until([&] { return site.server->connection_count() == 0; });
}

TEST_CASE("a UNIX socket serves, says who asks, and has its mode", "[replicator][http]") {
    Folder folder;
    Site site;
    Router router;
    std::optional<std::uint32_t> uid;
    router.on("GET", "/", [&](const HttpRequest& request, Responder respond) {
        uid = request.peer_uid;
        CHECK(request.remote == "unix");
        CHECK_FALSE(request.peer_key);
        respond.send({200, {}, Buffer{'h', 'i'}});
    });
    site.serve(std::move(router));
    const std::string path = folder.path + "/control.sock";
    REQUIRE(site.server->listen_unix(path, 0660));
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0660);
    const HttpPeer peer{"http://localhost", path, std::nullopt, ""};
    const auto reply = site.ask_as(peer, {}, nullptr);
    REQUIRE(reply);
    CHECK(text(reply->body) == "hi");
    CHECK(uid == ::getuid());
    site.server.reset();
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a stale socket is replaced, a live one and a file are not", "[replicator][http]") {
    Folder folder;
    Site site;
    site.serve({});
    const std::string path = folder.path + "/control.sock";
    {
        const auto other = *HttpServer::make(*site.loop, {});
        REQUIRE(other->listen_unix(path, 0600));
        const auto live = site.server->listen_unix(path, 0600);
        REQUIRE_FALSE(live);
        CHECK(live.error().code == Errc::Conflict);
        std::filesystem::create_hard_link(path, path + ".left");  // As a crash would leave it.
    }
    std::filesystem::rename(path + ".left", path);
    CHECK(site.server->listen_unix(path, 0600));
    std::ofstream(folder.path + "/file") << "mine";
    const auto file = site.server->listen_unix(folder.path + "/file", 0600);
    REQUIRE_FALSE(file);
    CHECK(file.error().code == Errc::Conflict);
    CHECK(std::filesystem::exists(folder.path + "/file"));
    CHECK_FALSE(site.server->listen_unix(folder.path + "/" + std::string(120, 'x'), 0600));
}

TEST_CASE("a taken port and a bad address are told", "[replicator][http]") {
    Site site;
    site.serve({});
    const auto taken = site.server->listen_tcp("127.0.0.1", site.port, site.server_identity,
                                               ClientCertificate::None);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::Conflict);
    CHECK_FALSE(
        site.server->listen_tcp("localhost.", 0, site.server_identity, ClientCertificate::None));
}

TEST_CASE("no session is resumed and no ticket is given", "[replicator][http]") {
    Site site;
    Router router;
    router.on("GET", "/", say("in"));
    site.serve(std::move(router));
    int tickets = -1;
    site.meanwhile([&] {
        std::unique_ptr<SSL_CTX, Closer<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
        static int seen;
        seen = 0;
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(context.get(), [](SSL*, SSL_SESSION*) { return ++seen, 0; });
        const auto key = read_key(site.client_identity.key_pem());
        const auto certificate = read_certificate(site.client_identity.certificate_pem());
        SSL_CTX_use_certificate(context.get(), certificate->get());
        SSL_CTX_use_PrivateKey(context.get(), key->get());
        const std::unique_ptr<BIO, Closer<BIO_free_all>> bio(BIO_new_ssl_connect(context.get()));
        BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(site.port)).c_str());
        if (BIO_do_connect(bio.get()) != 1) return;
        BIO_puts(bio.get(), "GET / HTTP/1.1\r\nconnection: close\r\n\r\n");
        char piece[4096];
        while (BIO_read(bio.get(), piece, sizeof piece) > 0) {
        }
        tickets = seen;
    });
    CHECK(tickets == 0);
}
