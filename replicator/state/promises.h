// Promises: what binds this trust and its partners: agreements, receipts, witnessed heads.
//
// Thread rule: the loop thread; `db` outlives it.
#pragma once

#include "replicator/agreement/agreement.h"
#include "replicator/agreement/receipt.h"
#include "vault/index/sqlite.h"
#include "vault/ledger/chain.h"

#include <optional>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t agreements_max = 1000;  // Between one owner and one host.

struct HeldReceipt {
    TrustId host;
    ListId list;
    std::int64_t time_ms = 0;
    Buffer object;
};

class Promises {
public:
    explicit Promises(vault::Database& db) : db_(&db) {}

    /// Stores an agreement, or adds signatures to the one that is here. At least one officer of the
    /// two must have signed. `owner` and `host` are their newest rosters. Signatures that held once
    /// hold for good, whoever leaves the rosters later.
    /// Errors: Denied (nobody signed), Conflict (another one has this number), Full, Io, Corrupt.
    Result<HeldAgreement> put_agreement(View object, const vault::Roster& owner,
                                        const vault::Roster& host);
    /// All between `a` and `b`, whoever is owner, by owner and number. Errors: Io, Corrupt.
    Result<std::vector<HeldAgreement>> agreements(const TrustId& a, const TrustId& b);
    /// All that this owner has signed, in date or not, by host and number. Errors: Io, Corrupt.
    Result<std::vector<HeldAgreement>> signed_by_owner(const TrustId& owner);
    /// The one that holds now: of those that have begun the highest number, while it is in date.
    /// Errors: Io, Corrupt.
    Result<std::optional<Agreement>> in_force(const TrustId& owner, const TrustId& host,
                                              std::int64_t now_ms);

    /// Errors: Full, Io.
    Result<void> put_receipt(const Receipt& receipt, View object);
    /// What `host` receipted to us, newest first. Errors: Io.
    Result<std::vector<HeldReceipt>> receipts(const TrustId& host);

    /// Errors: Full, Io.
    Result<void> put_head(const vault::ChainHead& head);
    /// The heads of `trust` that this host has witnessed. Errors: Io.
    Result<std::vector<vault::ChainHead>> heads(const TrustId& trust);

private:
    Result<std::optional<HeldAgreement>> find_agreement(const Agreement& terms);

    vault::Database* db_;
};

}  // namespace holdfast::replicator
