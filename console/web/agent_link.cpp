#include "console/web/agent_link.h"

#include "agent/control/client.h"

namespace holdfast::console {
namespace {

using replicator::HttpReply;

Result<std::string> body_of(Result<HttpReply> reply) {
    if (!reply) {
        return Error{Errc::Unreachable,
                     "the node's agent does not answer (" + reply.error().message + ")"};
    }
    if (reply->ok()) return std::string(as_text(reply->body));
    Error error = replicator::error_from(reply->status, reply->body);
    // "CODE: MESSAGE": people need the message, the code is in `error` already.
    const std::size_t colon = error.message.find(": ");
    if (colon != std::string::npos) error.message.erase(0, colon + 2);
    return error;
}

}  // namespace

Result<AgentLink> AgentLink::make(replicator::Loop& loop, const std::string& run_folder) {
    AgentLink link;
    link.peer_ = {"http://localhost", agent::control_socket(run_folder), std::nullopt, ""};
    link.client_ = HF_TRY(replicator::HttpClient::make(loop, nullptr));
    return link;
}

void AgentLink::start(replicator::ClientRequest request, std::uint64_t ms_max, Done done) {
    request.total_ms_max = ms_max;
    request.reply_bytes_max = agent_reply_bytes_max;
    replicator::ClientEvents events;
    events.done = [done = std::move(done)](Result<HttpReply> reply) {
        done(body_of(std::move(reply)));
    };
    client_->start(peer_, std::move(request), std::move(events)).detach();
}

void AgentLink::get(const std::string& path, Done done) {
    replicator::ClientRequest request;
    request.path = path;
    start(std::move(request), agent_ms_max, std::move(done));
}

void AgentLink::post_secret(const std::string& path, Buffer json, Done done) {
    replicator::ClientRequest request;
    request.method = "POST";
    request.path = path;
    request.headers.emplace_back("content-type", "application/json");
    request.body = std::move(json);
    start(std::move(request), sign_in_ms_max, std::move(done));
}

void append_json_string(Buffer& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.push_back('"');
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(byte);
        } else if (byte < 0x20) {
            for (const char part : std::string_view("\\u00")) {
                out.push_back(static_cast<std::uint8_t>(part));
            }
            out.push_back(static_cast<std::uint8_t>(digits[byte >> 4]));
            out.push_back(static_cast<std::uint8_t>(digits[byte & 15]));
        } else {
            out.push_back(byte);
        }
    }
    out.push_back('"');
}

}  // namespace holdfast::console
