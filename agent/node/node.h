// Node: a home opened for work: its settings, its keys, its vault.
#pragma once

#include "agent/config/home.h"
#include "agent/config/node_settings.h"
#include "agent/node/node_keys.h"
#include "vault/vault.h"

#include <memory>

namespace holdfast::agent {

struct Node {
    Home home;
    NodeSettings settings;
    AgentKeys keys;
    std::unique_ptr<vault::Vault> vault;
};

/// Errors: NotFound (not set up: run init), Invalid (settings), Corrupt, Denied, Io.
Result<Node> open_node(const Home& home);

}  // namespace holdfast::agent
