#include "agent/main/call.h"

#include "vault/base/file.h"
#include "vault/crypto/base64.h"

#include <pwd.h>

#include <array>
#include <charconv>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t report_bytes_max = 4 << 20;

Result<Buffer> bytes_in(const Json& body, const char* field) {
    return vault::from_base64(text_in(body, field)).within(field);
}

Result<void> approve(Engine& engine, std::int64_t run, const Json& body) {
    const Buffer record = HF_TRY(bytes_in(body, "record"));
    std::optional<Buffer> attestation;
    if (!text_in(body, "attestation").empty()) attestation = HF_TRY(bytes_in(body, "attestation"));
    return engine.approve(run, record, attestation);
}

}  // namespace

Result<std::int64_t> run_id(const replicator::HttpRequest& request) {
    const std::string& text = request.param("run");
    std::int64_t id = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return id;
    return Error{Errc::Invalid, "\"" + text + "\": a run has a number (holdfast run list)"};
}

std::string caller_of(const replicator::HttpRequest& request) {
    if (!request.peer_uid) return "somebody";
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> room{};
    (void)::getpwuid_r(*request.peer_uid, &entry, room.data(), room.size(), &found);
    return found != nullptr ? entry.pw_name : "user " + std::to_string(*request.peer_uid);
}

Result<Json> body_of(const replicator::HttpRequest& request) {
    if (request.body.empty()) return Json::object();
    return parse_object(as_text(request.body), "the request's body");
}

Result<StoredRelease> release_in(const Json& body) {
    Buffer record = HF_TRY(bytes_in(body, "record"));
    Buffer keys = HF_TRY(bytes_in(body, "keys"));
    return StoredRelease{std::move(record), std::move(keys)};
}

Result<RunOrder> order_in(const Json& body) {
    RunOrder order;
    order.system = text_in(body, "system");
    order.snapshot = text_in(body, "snapshot");
    for (const std::string& share : texts_in(body, "shares")) {
        order.shares.push_back(HF_TRY(vault::from_base64(share).within("shares")));
    }
    const auto release = body.find("release");
    if (release != body.end() && !release->is_null()) {
        order.release = HF_TRY(release_in(*release).within("release"));
    }
    return order;
}

Result<void> call_run(Engine& engine, std::int64_t run, const std::string& call, const Json& body) {
    if (call == "approvals") return approve(engine, run, body);
    if (call == "shares") return engine.add_share(run, HF_TRY(bytes_in(body, "share")));
    if (call == "release") return engine.add_release(run, HF_TRY(release_in(body)));
    if (call == "pause") return engine.pause(run);
    if (call == "resume") return engine.resume(run);
    if (call == "abort") return engine.abort(run);
    if (call == "stop") return engine.stop(run);
    return Error{Errc::NotFound, "there is no \"" + call + "\" of a run"};
}

Result<std::string> report_json(const Run& run) {
    if (run.facts.evidence.empty()) {
        return Error{Errc::NotFound, run.name() + " has no report yet"};
    }
    const Buffer text = HF_TRY(read_file(run.facts.evidence, report_bytes_max));
    return json_text({{"file", run.facts.evidence}, {"text", std::string(as_text(text))}});
}

void answer(replicator::Responder& respond, const Result<std::string>& json, unsigned status) {
    if (json) {
        respond.send(replicator::json_response(status, *json));
    } else {
        respond.fail(json.error());
    }
}

}  // namespace holdfast::agent
