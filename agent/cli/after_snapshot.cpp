#include "agent/cli/after_snapshot.h"

#include "agent/cli/terminal.h"
#include "agent/config/node_settings.h"
#include "replicator/control/control_client.h"

namespace holdfast::agent::cli {
namespace {

Result<void> ask(const Home& home) {
    const NodeSettings node = HF_TRY(load_node(home));
    if (!node.peer || !node.peer->after_snapshot) return {};
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    HF_TRY(replicator.replicate(std::nullopt));
    return {};
}

}  // namespace

void replicate_soon(const Home& home) {
    const auto asked = ask(home);
    if (asked || !stderr_is_terminal()) return;
    warn("not brought to partners yet: " + asked.error().message);
}

}  // namespace holdfast::agent::cli
