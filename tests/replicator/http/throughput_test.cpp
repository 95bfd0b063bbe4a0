// What the way through TLS, libwebsockets and libcurl costs; run with [.bench].
#include "http_fixture.h"

#include <sys/resource.h>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

// Of processor time, both ends together: the machine may be busy with other things.
double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

}  // namespace

TEST_CASE("PUT and GET of 64 MiB, and small requests", "[.bench]") {
    constexpr std::size_t pack_bytes = 64u << 20;
    constexpr int rounds = 8;
    Site site;
    Router router;
    struct Upload {
        std::optional<BodyReader> body;
        std::optional<Responder> respond;
    };
    Upload current;
    router.on_upload(
        "PUT", "/pack",
        [&](HttpRequest, BodyReader body, Responder respond) {
            current.body = std::move(body);
            current.respond = std::move(respond);
            current.body->on_end([&] { current.respond->send({}); });
            current.body->on_piece([](View) {});
        },
        pack_bytes);
    router.on("GET", "/pack", [](const HttpRequest&, Responder respond) {
        respond.send({200, {}, Buffer(pack_bytes)});
    });
    router.on("GET", "/", say("hello"));
    site.serve(std::move(router));
    double put = 0;
    double get = 0;
    double small = 0;
    int good = 0;
    site.meanwhile([&] {
        auto client = *SyncClient::make(&site.client_identity);
        const Buffer pack(pack_bytes);
        double start = cpu_seconds();
        for (int i = 0; i < rounds; ++i) {
            good += client.request(site.peer(), upload("/pack", pack)).operator bool();
        }
        put = cpu_seconds() - start;
        start = cpu_seconds();
        for (int i = 0; i < rounds; ++i) {
            ClientRequest request;
            request.path = "/pack";
            const auto ignore = [](View) { return Flow::Continue; };
            good += client.request(site.peer(), std::move(request), ignore).operator bool();
        }
        get = cpu_seconds() - start;
        start = cpu_seconds();
        for (int i = 0; i < 1000; ++i) good += client.get(site.peer(), "/").operator bool();
        small = cpu_seconds() - start;
    });
    CHECK(good == 2 * rounds + 1000);
    WARN("PUT: " << 64 * rounds / put << " MiB per CPU second");
    WARN("GET: " << 64 * rounds / get << " MiB per CPU second");
    WARN("small request: " << small * 1000 << " us of CPU");
}
