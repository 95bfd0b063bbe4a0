// Ledger: the chains of one trust in one store, checked as they are read.
//
// refresh() reads the entries that came since, whoever wrote them; append() and carry_over() write
// to this node's own chain under a file lock, so that two processes of a node take turns. A chain
// is known from its newest carry on (vault/ledger/carry.h). Belongs to one thread.
#pragma once

#include "vault/keys/roster.h"
#include "vault/ledger/body.h"
#include "vault/ledger/list.h"
#include "vault/ledger/stored_chain.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::vault {

class Ledger {
public:
    /// `store` outlives the ledger. Entries must be signed by a node of `roster`, revoked or not:
    /// what a node wrote while it was trusted stays. Reads nothing yet.
    Ledger(Store& store, const Roster& roster) : store_(&store), roster_(&roster) {}

    /// A head that this node's own memory vouches for (vault/own_chain.h): entries that make it are
    /// not asked for their signatures. To be said before the first refresh().
    void trust_head(const ChainHead& head) { known_ = head; }

    /// Takes in new entries of all chains. A chain that does not hold is read up to where it
    /// breaks, and broken() says where. Errors: Io, Unreachable.
    Result<void> refresh();

    /// Chains that break, with what is wrong at the first entry that does not hold.
    const std::map<ChainId, Error>& broken() const { return broken_; }

    /// The highest number that was seen of a chain in the store when it was read from its
    /// beginning, whether it holds or not.
    std::optional<std::uint64_t> last_stored(const ChainId& id) const;

    /// All entries read so far, chain by chain, in order. Those before the chain's first() were
    /// carried over: they are no objects of their own any more.
    const std::map<ChainId, std::vector<LedgerEntry>>& entries() const { return entries_; }

    /// Rises when a chain was read anew since its entries had been carried over: what stood in
    /// entries() before is void then.
    std::uint64_t generation() const { return generation_; }

    /// The heads of all chains.
    std::vector<ChainHead> heads() const;
    const Chain* chain(const ChainId& id) const;

    struct Writer {
        ChainId chain;
        const SigningKey* key;
        std::string lock_file;
    };
    /// Makes the body for its place in the chain: bodies are sealed to their number.
    using MakeBody = std::function<Buffer(const ChainId& chain, std::uint64_t number)>;

    /// Writes the next entry of the writer's chain, durably. Errors: Full, Io, Conflict.
    Result<LedgerEntry> append(const Writer& writer, std::int64_t now_ms, const ListId& list,
                               const MakeBody& make_body);

    /// Which entries of the writer's chain, as it is now, still say something; in their order.
    using Choose = std::function<Result<std::vector<const LedgerEntry*>>()>;

    /// Writes a carry of what `choose` keeps, durably. What is before it may be erased then.
    /// Errors: those of `choose`, Full, Io, Conflict; then a part of it may be there, which says
    /// nothing.
    Result<void> carry_over(const Writer& writer, std::int64_t now_ms, const Choose& choose);

    /// The set that a list names. Errors: NotFound, Corrupt, Io, Unreachable.
    Result<ResolvedList> list(const ListId& id) const;

private:
    MaySign may_sign() const;
    Result<void> refresh_chain(const ChainId& id);
    Result<void> read_anew(const ChainId& id);
    Result<LedgerEntry> write_next(const Writer& writer, std::int64_t now_ms, const ListId& list,
                                   const MakeBody& make_body);

    Store* store_;
    const Roster* roster_;
    std::map<ChainId, Chain> chains_;
    std::map<ChainId, std::vector<LedgerEntry>> entries_;
    std::map<ChainId, Error> broken_;
    std::map<ChainId, std::uint64_t> last_stored_;
    std::uint64_t generation_ = 0;
    std::optional<ChainHead> known_;
};

}  // namespace holdfast::vault
