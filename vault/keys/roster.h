// Roster: the numbered list of a trust's nodes and officers (docs/vault-format.md, 3).
//
// A roster is signed by the trust key that it names. That key is the one of the roster before, or
// the one whose hash the roster before promised; the first one's hash is the trust's id. So a
// chain from number 1 proves the newest, and a node is revoked by the next number. A revoked node
// stays on the list: what it signed before can still be told from a stranger's.
#pragma once

#include "vault/keys/record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t roster_nodes_max = 256;
constexpr std::size_t roster_officers_max = 256;

enum class NodeState : std::uint8_t { Active, Revoked };

struct RosterNode {
    std::string name;
    NodeState state = NodeState::Active;
    PublicKey ledger_key;  // Ed25519: ledger entries, domain records.
    PublicKey box_key;     // X25519: map keys, releases.
    PublicKey link_key;    // Ed25519: receipts, countersignatures.
    Digest tls_key;        // SHA-256 of the TLS SubjectPublicKeyInfo.

    friend bool operator==(const RosterNode&, const RosterNode&) = default;
};

struct Officer {
    std::string name;
    PublicKey key;

    friend bool operator==(const Officer&, const Officer&) = default;
};

struct Roster {
    TrustId trust;
    std::string name;
    std::uint64_t number = 1;
    std::int64_t time = 0;
    Digest previous;  // record_digest() of the roster before; zeros for number 1.
    PublicKey trust_key;
    Digest next_trust_key_hash;
    PublicKey recovery_key;  // X25519.
    std::string seal;        // seal.h
    std::vector<RosterNode> nodes;
    std::vector<Officer> officers;
    Digest digest;  // record_digest() of this one, as parsed.

    const RosterNode* node_by_ledger_key(const PublicKey& key) const;
    const RosterNode* node_by_tls_key(const Digest& key) const;
    const RosterNode* node_by_name(std::string_view name) const;
    const Officer* officer_by_key(const PublicKey& key) const;

    friend bool operator==(const Roster&, const Roster&) = default;
};

/// H("trust", key): the id of the trust whose first trust key this is.
TrustId trust_id(const PublicKey& first_trust_key);

/// H("trust key", key): how a roster promises the next trust key.
Digest trust_key_hash(const PublicKey& key);

/// The roster after `current`, with the same content, to be changed and signed.
Roster next_roster(const Roster& current, std::int64_t now_ms);

/// Errors: NotFound.
Result<void> revoke_node(Roster& roster, const PublicKey& ledger_key);

/// Signs `roster` as a record, with `key` as its trust_key. To hand over to the promised key: sign
/// next_roster() with it, having put a new promise.
/// Errors: Invalid (over a limit, or a key twice).
Result<Buffer> sign_roster(const Roster& roster, const SigningKey& key);

/// Checks a roster by itself, its signature included; verify_successor() says whether to trust it.
/// Errors: Corrupt, Denied (the signature).
Result<Roster> parse_roster(View object);

/// True if `roster` is number 1 of `trust`. Errors: Denied.
Result<void> verify_first(const Roster& roster, const TrustId& trust);

/// Errors: Denied (another trust, not the next number, another history, or a key that `current`
/// neither used nor promised).
Result<void> verify_successor(const Roster& current, const Roster& next);

/// The end of the chain of `trust` among `objects`, which may come in any order and hold strangers'
/// or damaged ones. Whoever saw a higher number before must compare: objects can be withheld.
/// Errors: NotFound (number 1 is not here), Conflict (two valid ones of one number), Corrupt (a
/// number is missing before one that this trust signed).
Result<Roster> newest_roster(const std::vector<Buffer>& objects, const TrustId& trust);

}  // namespace holdfast::vault
