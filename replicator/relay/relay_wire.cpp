#include "replicator/relay/relay_wire.h"

#include "vault/keys/json_fields.h"

namespace holdfast::replicator {
namespace {

using vault::Fields;

constexpr std::size_t text_bytes_max = 4096;

Json to_json(const RelayInfo& one) {
    return {{"listen", one.relay.listen},
            {"partner", one.relay.partner.hex()},
            {"partner_name", one.partner_name},
            {"system", one.relay.system},
            {"endpoint", one.relay.endpoint},
            {"state", one.listening ? "listening" : "failed"},
            {"problem", one.problem},
            {"open", one.open},
            {"carried", one.carried},
            {"last_error", one.last_error},
            {"last_error_ms", one.last_error_ms}};
}

RelayInfo read_relay(Fields& in) {
    RelayInfo one;
    one.relay = {in.text("listen"), in.id<TrustId>("partner"), in.text("system"),
                 in.text("endpoint")};
    one.partner_name = in.text("partner_name");
    one.listening = in.text("state") == "listening";
    one.problem = in.text("problem", text_bytes_max);
    one.open = in.number("open");
    one.carried = in.number("carried");
    one.last_error = in.text("last_error", text_bytes_max);
    one.last_error_ms = in.time("last_error_ms");
    return one;
}

}  // namespace

std::string encode(const RelayReport& report) {
    Json all = Json::array();
    for (const RelayInfo& one : report.relays) all.push_back(to_json(one));
    return json_text({{"relays", std::move(all)}, {"problem", report.problem}});
}

Result<RelayReport> parse_relay_report(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        return RelayReport{in.list("relays", relays_max, read_relay),
                           in.text("problem", text_bytes_max)};
    });
}

void add_relay_routes(Router& router, const Relays& relays) {
    router.on("GET", "/relays", [&relays](const HttpRequest&, Responder respond) {
        respond.send(json_response(200, encode(RelayReport{relays.all(), relays.problem()})));
    });
}

}  // namespace holdfast::replicator
