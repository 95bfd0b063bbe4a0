#include "agent/node/node.h"

#include "agent/node/unlocked.h"

namespace holdfast::agent {

Result<Node> open_node(const Home& home) {
    Node node;
    node.home = home;
    node.settings = HF_TRY(load_node(home));
    node.keys = HF_TRY(read_agent_keys(home.keys));
    node.vault =
        HF_TRY(vault::Vault::open({home.vault, home.state, home.keys}, node.keys.for_vault(),
                                  node.settings.trust, system_clock(), vault::system_random()));
    add_unlocked(node.settings.trust, node.vault->domains(), node.vault->keys());
    return node;
}

}  // namespace holdfast::agent
