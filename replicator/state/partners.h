// Partners: the trusts that this one is paired with, by what their rosters say.
//
// A partner's roster chain only grows. A TLS key speaks for a partner while it is that of an active
// node in the newest roster. Thread rule: the loop thread; `db` outlives it.
#pragma once

#include "replicator/pairing/invitation.h"
#include "vault/index/sqlite.h"
#include "vault/keys/roster.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t partners_max = 256;
constexpr std::size_t rosters_max = 4096;  // Of one trust.

struct Partner {
    TrustId trust;
    std::string name;        // As its newest roster says.
    std::string address;     // Empty: it dials, we do not.
    KeyHash tls_key;         // Of the node at that address.
    bool confirmed = false;  // People have compared the pairing words.
    std::int64_t paired_ms = 0;
    vault::Roster roster;         // The newest.
    std::vector<Buffer> rosters;  // All, from number 1.
};

class Partners {
public:
    /// Errors: Corrupt, Io.
    static Result<std::unique_ptr<Partners>> open(vault::Database& db);

    const std::map<TrustId, Partner>& all() const { return all_; }
    /// Null if there is none.
    const Partner* find(const TrustId& trust) const;
    /// The partner for whom this TLS key speaks; null if nobody's.
    const Partner* by_key(const KeyHash& key) const;
    /// Errors: NotFound.
    Result<const Partner*> need(const TrustId& trust) const;

    struct Pairing {
        TrustId trust;
        std::string address;
        KeyHash tls_key;
        std::vector<Buffer> rosters;  // The whole chain.
        std::optional<PairingToken> token;
    };
    /// Takes a new partner in, or the known one's new address and key. A token is used up. Errors:
    /// Denied (the chain does not hold, `tls_key` is no active node's, or a key is another
    /// partner's), Refusal::BadToken, Refusal::StaleRoster, Full, Io.
    Result<void> pair(const Pairing& pairing, std::int64_t now_ms);
    /// Rosters that follow the known ones, in any order; known ones do no harm. True: something was
    /// new. Errors: Denied, Refusal::StaleRoster, Full, Io.
    Result<bool> take_rosters(const TrustId& trust, const std::vector<Buffer>& rosters);
    /// What take_rosters() would make of it; changes nothing.
    Result<vault::Roster> preview(const TrustId& trust, const std::vector<Buffer>& rosters) const;
    /// People have compared the words. Errors: NotFound, Io.
    Result<void> confirm(const TrustId& trust);
    /// Where to dial from now on. Errors: NotFound, Invalid, Io.
    Result<void> set_address(const TrustId& trust, const std::string& address, const KeyHash& key);

    /// A new invitation's token. Errors: Full, Io.
    Result<void> invite(const PairingToken& token, std::int64_t now_ms);

private:
    explicit Partners(vault::Database& db) : db_(&db) {}
    Result<void> load();
    Result<void> store(Partner partner);
    Result<void> check_keys(const Partner& partner) const;
    Result<void> use_token(const PairingToken& token, const TrustId& user, std::int64_t now_ms);

    vault::Database* db_;
    std::map<TrustId, Partner> all_;
};

}  // namespace holdfast::replicator
