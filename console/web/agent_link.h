// Agent link: asks the node's agent over its control socket, without blocking the loop.
//
// Thread rule: the loop thread.
#pragma once

#include "replicator/http/client.h"

#include <memory>
#include <string>

namespace holdfast::console {

constexpr std::uint64_t agent_ms_max = 15'000;
// One costs a second of a core, more on a busy machine, and may wait for eight others'.
constexpr std::uint64_t sign_in_ms_max = 50'000;
constexpr std::uint64_t agent_reply_bytes_max = 16u << 20;

class AgentLink {
public:
    using Done = replicator::Callback<void(Result<std::string>)>;

    /// `run_folder` holds agent.sock. Errors: Io.
    static Result<AgentLink> make(replicator::Loop& loop, const std::string& run_folder);

    /// `done` comes once, later, with the answer's body. Errors: Unreachable (no agent answers),
    /// and what it refused with, as it said it.
    void get(const std::string& path, Done done);
    /// The body is wiped after it was sent.
    void post_secret(const std::string& path, Buffer json, Done done);

private:
    AgentLink() = default;
    void start(replicator::ClientRequest request, std::uint64_t ms_max, Done done);

    replicator::HttpPeer peer_;
    std::unique_ptr<replicator::HttpClient> client_;
};

/// Appends `text` to `out` as a JSON string, with its quotes.
void append_json_string(Buffer& out, std::string_view text);

}  // namespace holdfast::console
