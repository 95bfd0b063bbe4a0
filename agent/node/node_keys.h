// Node keys: the secrets that a node is, one file for each process that needs them.
//
//   agent.key   ledger seed, box secret, office seed      the agent alone
//   link.key    link seed, TLS key and certificate (PEM)   the replicator too
//
// The office key is the node's own officer: it certifies persons and signs agreements on the word
// of the node's root; the trust key, which names it in the roster, is off the node.
#pragma once

#include "replicator/http/tls.h"
#include "vault/vault.h"

#include <string>

namespace holdfast::agent {

struct AgentKeys {
    vault::SigningKey ledger;
    vault::BoxKey box;
    vault::SigningKey office;

    vault::NodeKeys for_vault() const;
};

struct LinkKeys {
    vault::SigningKey link;
    replicator::TlsIdentity tls;
};

AgentKeys make_agent_keys(vault::Random& random);
/// Errors: Invalid (name), Io.
Result<LinkKeys> make_link_keys(const std::string& node_name, vault::Random& random);

/// `folder` is HOME/keys. Errors: Full, Io.
Result<void> write_agent_keys(const std::string& folder, const AgentKeys& keys);
Result<void> write_link_keys(const std::string& folder, const LinkKeys& keys);

/// Errors: NotFound, Corrupt, Denied, Io.
Result<AgentKeys> read_agent_keys(const std::string& folder);
Result<LinkKeys> read_link_keys(const std::string& folder);

/// How the roster describes the node that has these keys.
vault::RosterNode roster_node(const std::string& name, const AgentKeys& agent,
                              const LinkKeys& link);

}  // namespace holdfast::agent
