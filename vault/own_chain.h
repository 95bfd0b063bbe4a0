// Own chain: the chain that this node writes, and when it must not go on with it.
//
// The node remembers the head of its chain outside the vault (state/chain: id, length, root). When
// the vault no longer has what that head says, or what it has does not hold, an entry of the next
// number would be a fork: partners and witnesses hold another of that number. So a new chain is
// opened, whose first entry names the last head that is known of the old one
// (vault/ledger/open_body.h). What the old chain has up to the damage stays readable, and verify
// goes on naming what is missing.
//
// Nothing is opened before something is to be written: looking changes nothing. Several processes
// of a node take turns by a file lock. Belongs to one thread.
#pragma once

#include "vault/base/clock.h"
#include "vault/ledger/open_body.h"
#include "vault/vault_reader.h"

#include <optional>
#include <string>

namespace holdfast::vault {

class OwnChain {
public:
    /// All that is pointed at outlives the chain.
    struct Node {
        VaultReader* reader;
        const Roster* roster;
        const SigningKey* ledger_key;
        const Clock* clock;
        Random* random;
        std::string state;  // The folder of `chain` and of the locks.
    };
    /// What the node remembers in `state` of its chain. Errors: NotFound (no chain yet), Corrupt,
    /// Io.
    static Result<ChainHead> remembered_in(const std::string& state, const TrustId& trust);

    explicit OwnChain(Node node) : node_(std::move(node)) {}

    /// Reads which chain it is; a node without one opens its first. The reader was refreshed.
    /// Errors: Corrupt (state/chain), Denied (this node is not on the roster), Full, Io.
    Result<void> load();

    /// Why this node must not go on with its chain; empty: it may.
    std::string damage() const;

    /// Opens another chain if damage() says so, and then answers with what people should be told.
    /// Errors: Denied (this node is not on the roster), Full, Io.
    /// `witnessed`, may be null: what a witness has signed of this node's chain. If it is more than
    /// the vault has, or another history, that is damage too, and the new chain names that head.
    Result<std::optional<std::string>> make_sound(const ChainHead* witnessed = nullptr);

    /// Writes the next entry, to a sound chain. Errors: Denied, Full, Io, Conflict.
    Result<LedgerEntry> append(const ListId& list, const Ledger::MakeBody& make_body);

    /// Lets the chain begin anew (vault/ledger/carry.h). Errors: as append(), and those of
    /// `choose`.
    Result<void> carry_over(const Ledger::Choose& choose);

    const ChainId& id() const { return remembered_.chain; }

private:
    Result<const RosterNode*> self() const;
    Result<void> recall();
    Result<void> remember();
    Result<void> open_another(const std::optional<ChainHead>& after);
    bool has(const ChainHead& head) const;
    ChainHead last_known() const;
    Ledger::Writer writer() const;
    std::string file() const { return node_.state + "/chain"; }

    Node node_;
    ChainHead remembered_;
};

}  // namespace holdfast::vault
