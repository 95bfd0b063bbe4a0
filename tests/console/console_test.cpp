// The console over real TLS, without an agent; tests/browser has one.
#include "console/web/console.h"
#include "console/session/form.h"
#include "console/web/identity.h"
#include "replicator/http/client.h"
#include "replicator/http/fingerprint.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <thread>

using namespace holdfast;
using namespace holdfast::console;
using replicator::HttpReply;

namespace {

class Browser {
public:
    Browser() {
        scratch.folder("run");
        scratch.folder("state");
        loop_ = *replicator::Loop::make();
        auto made = Console::make(*loop_, {scratch / "run", scratch / "state", "127.0.0.1:0"},
                                  system_clock());
        REQUIRE(made);
        console_ = std::move(*made);
        origin_ = "https://127.0.0.1:" + std::to_string(console_->port());
        thread_ = std::thread([this] {
            loop_->run();
            console_.reset();
        });
    }
    ~Browser() {
        loop_->post([this] { loop_->stop(); });
        thread_.join();
    }

    HttpReply get(const std::string& path) { return send("GET", path, ""); }
    HttpReply post(const std::string& path, const std::string& form) {
        return send("POST", path, form);
    }

    std::string cookies;
    holdfast::test::ScratchFolder scratch;

private:
    HttpReply send(const std::string& method, const std::string& path, const std::string& form) {
        auto client = replicator::SyncClient::make(nullptr);
        REQUIRE(client);
        replicator::ClientRequest request;
        request.method = method;
        request.path = path;
        request.body.assign(form.begin(), form.end());
        if (!cookies.empty()) request.headers.emplace_back("cookie", cookies);
        auto reply = client->request({origin_, "", std::nullopt, ""}, std::move(request));
        INFO((reply ? "" : reply.error().message));
        REQUIRE(reply);
        return std::move(*reply);
    }

    std::unique_ptr<replicator::Loop> loop_;
    std::unique_ptr<Console> console_;
    std::string origin_;
    std::thread thread_;
};

std::string header(const HttpReply& reply, const char* name) {
    const std::string* value = reply.header(name);
    return value == nullptr ? "" : *value;
}

std::string between(std::string_view text, const std::string& before, const std::string& after) {
    const std::size_t begin = text.find(before);
    REQUIRE(begin != std::string::npos);
    const std::size_t at = begin + before.size();
    return std::string(text.substr(at, text.find(after, at) - at));
}

}  // namespace

TEST_CASE("who is not signed in sees the form, and nothing of the node", "[console]") {
    Browser browser;
    const HttpReply page = browser.get("/");
    CHECK(page.status == 303);
    CHECK(header(page, "location") == "/sign-in");
    browser.cookies = "__Host-holdfast=" + std::string(64, '0');
    const HttpReply ended = browser.get("/");
    CHECK(header(ended, "location") == "/sign-in?ended");
    CHECK(header(ended, "set-cookie").find("Max-Age=0") != std::string::npos);
    CHECK(browser.get("/status").status == 404);
    CHECK(browser.get("/style.css").status == 200);
}

TEST_CASE("every page forbids scripts, frames, foreign content and being kept", "[console]") {
    Browser browser;
    const HttpReply form = browser.get("/sign-in");
    const HttpReply refused = browser.post("/sign-in", "token=wrong");
    for (const HttpReply* reply : {&form, &refused}) {
        CHECK(header(*reply, "content-security-policy") ==
              "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
              "frame-ancestors 'none'; base-uri 'none'");
        CHECK(header(*reply, "x-content-type-options") == "nosniff");
        CHECK(header(*reply, "referrer-policy") == "no-referrer");
        CHECK(header(*reply, "cache-control") == "no-store");
        CHECK(
            header(*reply, "set-cookie").ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    }
}

TEST_CASE("a form without the token of its own browser is not looked at", "[console]") {
    Browser browser;
    const HttpReply form = browser.get("/sign-in");
    const std::string token = between(as_text(form.body), "name=\"token\" value=\"", "\"");
    const std::string posted = "name=Ada&passphrase=x&token=" + token;
    CHECK(browser.post("/sign-in", posted).status == 403);  // Its cookie is missing.
    browser.cookies = "__Host-holdfast-form=" + std::string(64, '0');
    CHECK(browser.post("/sign-in", posted).status == 403);  // Another browser's.
    const std::string cookie = header(form, "set-cookie");
    browser.cookies = cookie.substr(0, cookie.find(';'));
    CHECK(browser.post("/sign-in", "name=Ada&passphrase=x").status == 403);
    const HttpReply asked = browser.post("/sign-in", posted);
    CHECK(asked.status == 503);  // It was looked at: the agent was asked, and there is none.
    CHECK(as_text(asked.body).find("agent does not answer") != std::string::npos);
    CHECK(browser.post("/sign-out", "token=" + token).status == 403);
}

TEST_CASE("a form that is too long, or none, is refused", "[console]") {
    Browser browser;
    CHECK(browser.post("/sign-in", std::string(form_bytes_max + 1, 'a')).status == 413);
    CHECK(browser.post("/sign-in", "a=%").status == 400);
}

TEST_CASE("the console needs only its own two folders, and keeps its key to itself", "[console]") {
    std::string fingerprint;
    holdfast::test::ScratchFolder scratch;
    for (int start = 0; start < 2; ++start) {
        const auto identity = need_identity(scratch.path());
        REQUIRE(identity);
        const auto shown = replicator::certificate_fingerprint(identity->certificate_pem());
        REQUIRE(shown);
        CHECK(shown->size() == 32 * 3 - 1);
        if (start == 1) CHECK(*shown == fingerprint);
        fingerprint = *shown;
    }
    struct stat about {};
    REQUIRE(::stat((scratch / "console.key").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    scratch.file("console.key", "not a key");
    const auto refused = need_identity(scratch.path());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("delete console.key") != std::string::npos);

    Browser browser;
    std::size_t files = 0;
    for (const auto& one : std::filesystem::recursive_directory_iterator(browser.scratch.path())) {
        files += one.is_regular_file() ? 1 : 0;
    }
    CHECK(files == 2);  // The key and the certificate.
}
