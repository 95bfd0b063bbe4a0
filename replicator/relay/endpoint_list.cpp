#include "replicator/relay/endpoint_list.h"

#include "vault/base/file.h"
#include "vault/keys/json_fields.h"

namespace holdfast::replicator {
namespace {

using vault::Fields;

bool is_loopback(const TcpAddress& at) {
    return at.address.starts_with("127.") || at.address == "::1";
}

Error not_here(const std::string& system, const std::string& endpoint) {
    return {Errc::NotFound, endpoint + " of " + system + " does not run here, or is not open"};
}

}  // namespace

std::string endpoints_path(const std::string& run_folder, const TrustId& owner,
                           const std::string& system) {
    return run_folder + "/endpoints/" + owner.hex() + "/" + system + ".json";
}

std::string endpoints_text(const RunningSystem& running) {
    Json all = Json::array();
    for (const RunningEndpoint& one : running.endpoints) {
        all.push_back({{"name", one.name}, {"address", one.address}});
    }
    return json_text({{"owner", running.owner.hex()},
                      {"system", running.system},
                      {"run", running.run},
                      {"term", running.term},
                      {"endpoints", std::move(all)}});
}

Result<RunningSystem> parse_endpoints(std::string_view text) {
    auto body = HF_TRY(vault::JsonText::parse(text, "the list of endpoints"));
    Fields in = body.top();
    RunningSystem running;
    running.owner = in.id<TrustId>("owner");
    running.system = in.text("system");
    running.run = in.text("run");
    running.term = in.number("term");
    running.endpoints = in.list("endpoints", endpoints_max, [](Fields& one) {
        return RunningEndpoint{one.text("name"), one.text("address")};
    });
    HF_TRY(body.check());
    return running;
}

Result<TcpAddress> find_endpoint(const std::string& run_folder, const TrustId& owner,
                                 const std::string& system, const std::string& endpoint) {
    if (!is_system_name(system) || !is_system_name(endpoint)) return not_here("that", "it");
    const std::string path = endpoints_path(run_folder, owner, system);
    if (!path_exists(path)) return not_here(system, endpoint);
    const Buffer text = HF_TRY(read_file(path, endpoints_bytes_max));
    const RunningSystem running = HF_TRY(parse_endpoints(as_text(text)).within(path));
    if (running.owner != owner || running.system != system) {
        return Error{Errc::Denied, path + " is of another system"};
    }
    for (const RunningEndpoint& one : running.endpoints) {
        if (one.name != endpoint) continue;
        TcpAddress at = HF_TRY(parse_tcp_address(one.address).within(path));
        if (is_loopback(at)) return at;
        return Error{Errc::Denied, path + ": " + one.address + " is not this machine's alone"};
    }
    return not_here(system, endpoint);
}

}  // namespace holdfast::replicator
