// Domain: one set of data with its own keys (docs/vault-format.md, 3 and 5).
//
// The record carries the public opening key, and both secrets wrapped for the recovery key. It is
// signed by the ledger key of a node that is active at that time.
#pragma once

#include "vault/keys/roster.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t domain_features_max = 64;
constexpr std::size_t domain_wrapped_max = 256;

/// Where the opening key lives: on the node, or only under the recovery key.
enum class OpeningKeys : std::uint8_t { Node, Locked };

struct DomainRecord {
    DomainId id;
    std::string name;
    std::int64_t time = 0;
    OpeningKeys opening_keys = OpeningKeys::Node;
    PublicKey opening_key;
    Buffer opening_wrapped;
    Buffer naming_wrapped;
    std::vector<std::string> features_required;
    std::vector<std::string> features_optional;
    std::string seal;  // seal.h
    PublicKey signer;
    NodeState signer_state = NodeState::Active;  // By the roster that it was checked with.
};

struct DomainKeys {
    BoxKey opening;
    Secret naming;
};

struct NewDomain {
    DomainId id;
    DomainKeys keys;
    Buffer object;
};

/// Under which recovery key, and its seal.
struct UnderRecovery {
    PublicKey key;
    std::string seal = {};
};

/// Draws a domain's id and keys and signs its record with a node's ledger key. The caller keeps
/// keys.opening only if `opening_keys` says so.
/// Errors: Invalid (the name is empty or too long).
Result<NewDomain> make_domain(const std::string& name, OpeningKeys opening_keys,
                              const UnderRecovery& under, const SigningKey& ledger_key,
                              std::int64_t now_ms, Random& random);

/// The record of the same domain with these keys, under another recovery key.
Buffer renew_domain(const DomainRecord& domain, const DomainKeys& keys, const UnderRecovery& under,
                    const SigningKey& ledger_key, std::int64_t now_ms);

/// Checks the record against the roster. A node that was revoked since then is no reason to lose
/// what it backed up: such a record is read, with signer_state Revoked, and must not be written to.
/// Its seal is for the caller to compare with its name. Errors: Corrupt, Denied (signed by no node
/// of the roster), Invalid (it requires a feature that this program does not know).
Result<DomainRecord> parse_domain(View object, const DomainId& expected, const Roster& roster);

/// Errors: Corrupt (another recovery key, or damaged).
Result<DomainKeys> open_domain(const DomainRecord& domain, const BoxKey& recovery);

}  // namespace holdfast::vault
