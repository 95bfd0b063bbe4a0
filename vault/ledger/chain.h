// Chain: one node's ledger, as a Merkle log of envelopes. (docs/vault-format.md, 11)
//
// Invariants: entry n is at place n; its `previous` is the root over the n before it; so a head (a
// length and a root) says all that stands in a chain, and of two heads of one chain either one grew
// into the other, or they are a fork, which no honest node makes.
// A chain may be known from an entry on that carries the ones before it over
// (vault/ledger/carry.h). Holds 32 bytes for each entry from there on. Belongs to one thread.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/units.h"
#include "vault/crypto/merkle.h"
#include "vault/ledger/entry.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace holdfast::vault {

/// Behind its start: 128 MiB of hashes. Prune begins chains anew long before.
constexpr std::uint64_t chain_entries_max = 1 << 22;

/// What a chain is at a length; what witnesses sign.
struct ChainHead {
    TrustId trust;
    ChainId chain;
    std::uint64_t length = 0;
    Digest root;

    friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

/// True if the roster gives the key to a node that may write this chain at this entry.
using MaySign = std::function<bool(const Envelope&)>;

class Chain {
public:
    Chain(const TrustId& trust, const ChainId& chain) : head_{trust, chain, 0, {}} {}
    /// Known from the entry on that stands behind those in `before`.
    Chain(const TrustId& trust, const ChainId& chain, const MerkleLog& before)
        : head_{trust, chain, before.size(), before.root()}, start_(before), log_(before) {}

    /// Checks `next` as the entry behind the last, with its signature, and takes it in.
    /// Errors, all of which leave the chain as it was:
    ///   Conflict  this very entry is in the chain already
    ///   NotFound  entries before it are missing
    ///   Denied    of another trust or chain, a fork, badly signed, or a signer that may not
    ///   Full      over chain_entries_max
    Result<void> append(const Envelope& next, const MaySign& may_sign);

    /// Takes in `next`, one by one as append() does, but without a look at their signatures, if the
    /// head is `known` then; else takes none, and answers false.
    bool append_known(std::span<const Envelope> next, const ChainHead& known);

    /// An envelope to complete and sign: trust, chain, number and previous are filled in.
    Envelope next() const;

    const ChainHead& head() const { return head_; }
    std::uint64_t length() const { return head_.length; }
    /// The first entry that is known.
    std::uint64_t first() const { return start_.size(); }
    /// The tree over all entries, to go on from.
    const MerkleLog& log() const { return log_; }

    /// The head that the chain had at `length`: first() <= length <= length().
    ChainHead head_at(std::uint64_t length) const;
    /// True if `head` is one that this chain had. Of one before first() nobody can tell: true.
    bool had(const ChainHead& head) const;

    /// Errors: NotFound (`other` is longer: bring its entries), Denied (a fork, or another chain).
    /// A head from before first() passes.
    Result<void> check_ours(const ChainHead& other) const;

private:
    Result<void> check_place(const Envelope& next) const;
    void take(const Envelope& next);

    ChainHead head_;
    MerkleLog start_;  // Over the entries before first().
    MerkleLog log_;
    std::vector<Digest> entries_;  // Leaf hashes, from first() on.
};

}  // namespace holdfast::vault
