#include "agent/node/node_keys.h"

#include "vault/keys/key_file.h"

namespace holdfast::agent {
namespace {

std::string agent_path(const std::string& folder) {
    return folder + "/agent.key";
}
std::string link_path(const std::string& folder) {
    return folder + "/link.key";
}

}  // namespace

vault::NodeKeys AgentKeys::for_vault() const {
    return {vault::SigningKey::from_seed(ledger.seed.clone()),
            vault::BoxKey::from_secret(box.secret.clone())};
}

AgentKeys make_agent_keys(vault::Random& random) {
    return {vault::SigningKey::make(random), vault::BoxKey::make(random),
            vault::SigningKey::make(random)};
}

Result<LinkKeys> make_link_keys(const std::string& node_name, vault::Random& random) {
    auto tls = HF_TRY(replicator::TlsIdentity::make(node_name));
    return LinkKeys{vault::SigningKey::make(random), std::move(tls)};
}

Result<void> write_agent_keys(const std::string& folder, const AgentKeys& keys) {
    return vault::write_key_file(agent_path(folder),
                                 {&keys.ledger.seed, &keys.box.secret, &keys.office.seed});
}

Result<void> write_link_keys(const std::string& folder, const LinkKeys& keys) {
    const vault::Secret key = vault::Secret::copy_of(keys.tls.key_pem());
    const vault::Secret certificate = vault::Secret::copy_of(keys.tls.certificate_pem());
    return vault::write_key_file(link_path(folder), {&keys.link.seed, &key, &certificate});
}

Result<AgentKeys> read_agent_keys(const std::string& folder) {
    auto secrets = HF_TRY(vault::read_key_file(agent_path(folder), 3));
    for (const vault::Secret& secret : secrets) {
        if (secret.size() != 32) return Error{Errc::Corrupt, agent_path(folder) + ": damaged"};
    }
    return AgentKeys{vault::SigningKey::from_seed(std::move(secrets[0])),
                     vault::BoxKey::from_secret(std::move(secrets[1])),
                     vault::SigningKey::from_seed(std::move(secrets[2]))};
}

Result<LinkKeys> read_link_keys(const std::string& folder) {
    auto secrets = HF_TRY(vault::read_key_file(link_path(folder), 3));
    if (secrets[0].size() != 32) return Error{Errc::Corrupt, link_path(folder) + ": damaged"};
    auto tls = HF_TRY(replicator::TlsIdentity::from_pem(secrets[1].view(), secrets[2].view())
                          .within(link_path(folder)));
    return LinkKeys{vault::SigningKey::from_seed(std::move(secrets[0])), std::move(tls)};
}

vault::RosterNode roster_node(const std::string& name, const AgentKeys& agent,
                              const LinkKeys& link) {
    vault::RosterNode node;
    node.name = name;
    node.ledger_key = agent.ledger.public_key;
    node.box_key = agent.box.public_key;
    node.link_key = link.link.public_key;
    node.tls_key = Digest{link.tls.key_hash().digest};
    return node;
}

}  // namespace holdfast::agent
