#include "agent/control/client.h"

#include "replicator/http/client.h"
#include "vault/base/file.h"

namespace holdfast::agent {

struct ControlClient::State {
    replicator::HttpPeer peer;
    replicator::SyncClient http;
};

namespace {

Result<std::string> body_of(Result<replicator::HttpReply> reply) {
    if (!reply) return std::move(reply).error().within("the node's agent");
    if (!reply->ok()) {
        Error error = replicator::error_from(reply->status, reply->body);
        // "CODE: MESSAGE": people need the message, the code is in `error` already.
        const std::size_t colon = error.message.find(": ");
        if (colon != std::string::npos) error.message.erase(0, colon + 2);
        return error;
    }
    return std::string(as_text(reply->body));
}

}  // namespace

ControlClient::ControlClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlClient::ControlClient(ControlClient&&) noexcept = default;
ControlClient::~ControlClient() = default;

std::string control_socket(const std::string& run_folder) {
    return run_folder + "/agent.sock";
}

Result<ControlClient> ControlClient::open(const std::string& run_folder) {
    const std::string socket = control_socket(run_folder);
    if (!path_exists(socket)) {
        return Error{Errc::Unreachable, "the node is not running (holdfast node run)"};
    }
    auto http = HF_TRY(replicator::SyncClient::make(nullptr));
    return ControlClient(std::make_unique<State>(
        State{{"http://localhost", socket, std::nullopt, ""}, std::move(http)}));
}

Result<std::string> ControlClient::get(const std::string& path) {
    return body_of(state_->http.get(state_->peer, path));
}

Result<std::string> ControlClient::post(const std::string& path, std::string_view json) {
    return body_of(state_->http.post(state_->peer, path, json));
}

}  // namespace holdfast::agent
