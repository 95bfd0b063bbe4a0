#include "agent/node/init.h"

#include "agent/node/kit_file.h"
#include "agent/node/node_keys.h"
#include "vault/base/file.h"
#include "vault/keys/kit.h"

#include <filesystem>
#include <system_error>

namespace holdfast::agent {
namespace {

constexpr std::size_t trust_name_bytes_max = 100;

Result<void> clear_unfinished(const Home& home) {
    if (path_exists(home.node)) {
        return Error{Errc::Conflict, home.node + " is there: this is a node already"};
    }
    if (path_exists(home.vault + "/ledger")) {
        return Error{Errc::Conflict, home.vault + " holds a vault, but there is no " + home.node +
                                         "; bring the settings back, or use an empty folder"};
    }
    // Keys of domains or a chain mean that something was sealed with them, wherever it is now: a
    // disk that is not mounted looks like an empty folder.
    for (const std::string& sign : {home.state + "/chain", home.keys + "/domains"}) {
        std::error_code failed;
        const bool used = path_exists(sign) && !std::filesystem::is_empty(sign, failed);
        if (used || failed) {
            return Error{Errc::Conflict, sign +
                                             " is in use by a node whose settings are missing; "
                                             "bring " +
                                             home.node + " back, or use another folder"};
        }
    }
    for (const std::string* folder : {&home.vault, &home.keys, &home.state, &home.kit}) {
        std::error_code failed;
        std::filesystem::remove_all(*folder, failed);
        if (failed) return Error{Errc::Io, "remove " + *folder + ": " + failed.message()};
    }
    return {};
}

struct TrustSecrets {
    vault::SigningKey trust;
    vault::SigningKey next_trust;
    vault::BoxKey recovery;
};

Result<Buffer> first_roster(const TrustSecrets& secrets, const std::string& trust_name,
                            const vault::RosterNode& node, const PublicKey& office,
                            std::int64_t now_ms) {
    vault::Roster roster;
    roster.trust = vault::trust_id(secrets.trust.public_key);
    roster.name = trust_name;
    roster.time = now_ms;
    roster.trust_key = secrets.trust.public_key;
    roster.next_trust_key_hash = vault::trust_key_hash(secrets.next_trust.public_key);
    roster.recovery_key = secrets.recovery.public_key;
    roster.nodes.push_back(node);
    roster.officers.push_back({"office of " + node.name, office});
    return vault::sign_roster(roster, secrets.trust);
}

Result<InitResult> write_kit(const Home& home, const InitSettings& settings, TrustSecrets secrets,
                             std::int64_t now_ms, vault::Random& random) {
    InitResult result;
    result.trust = vault::trust_id(secrets.trust.public_key);
    NewKit kit{
        result.trust,
        settings.trust_name,
        {std::move(secrets.trust), std::move(secrets.next_trust), std::move(secrets.recovery)},
        {},
        std::nullopt,
        settings.kit_memory_bytes};
    if (settings.passphrase) kit.passphrase = settings.passphrase->clone();
    KitFiles files = HF_TRY(write_kit_files(home.kit, kit, now_ms, random));
    result.kit_file = std::move(files.kit);
    result.passphrase_file = std::move(files.passphrase);
    return result;
}

}  // namespace

Result<InitResult> init_node(const Home& home, InitSettings settings, const Clock& clock,
                             vault::Random& random) {
    if (settings.trust_name.empty() || settings.trust_name.size() > trust_name_bytes_max) {
        return Error{Errc::Invalid, "a trust's name has 1 to 100 bytes (--trust NAME)"};
    }
    if (settings.node_name.empty()) settings.node_name = "node-1";
    HF_TRY(clear_unfinished(home));
    const std::int64_t now_ms = clock.wall_ms();
    const AgentKeys agent = make_agent_keys(random);
    const LinkKeys link = HF_TRY(make_link_keys(settings.node_name, random));
    TrustSecrets secrets{vault::SigningKey::make(random), vault::SigningKey::make(random),
                         vault::BoxKey::make(random)};
    const Buffer roster = HF_TRY(first_roster(secrets, settings.trust_name,
                                              roster_node(settings.node_name, agent, link),
                                              agent.office.public_key, now_ms));
    HF_TRY(make_folders(home.keys));
    HF_TRY(write_agent_keys(home.keys, agent));
    HF_TRY(write_link_keys(home.keys, link));
    HF_TRY(vault::make_vault({home.vault, home.state, home.keys}, roster));
    InitResult result = HF_TRY(write_kit(home, settings, std::move(secrets), now_ms, random));
    for (const std::string* folder :
         {&home.systems, &home.runtimes, &home.tenants, &home.people, &home.mounts, &home.run}) {
        HF_TRY(make_folders(*folder, 0755));
    }
    NodeSettings node;
    node.trust = result.trust;
    node.name = settings.node_name;
    node.peer = settings.peer;
    node.console = settings.console;
    HF_TRY(write_node(home, node));
    return result;
}

}  // namespace holdfast::agent
