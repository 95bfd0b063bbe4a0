// Stored chain: a chain as a store has it, from the newest whole carry on, or from its first entry.
//
// What lies before a carry is neither needed nor read: it may be gone, wholly or in part.
// Belongs to one thread.
#pragma once

#include "vault/ledger/carry.h"
#include "vault/store/store.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace holdfast::vault {

/// The numbers of a chain's entries in a store, rising.
using EntryNumbers = std::vector<std::uint64_t>;

/// Errors: Io, Unreachable, Corrupt (a name that is no chain's).
Result<std::vector<ChainId>> stored_chains(const Store& store);
/// Errors: Io, Unreachable.
Result<EntryNumbers> stored_entries(const Store& store, const ChainId& id);

struct StoredChain {
    Chain chain;
    std::vector<LedgerEntry> entries;  // The carried ones, then those from chain.first() on.
    std::optional<Error> broken;       // At the first entry that does not hold: it is not in.
};

/// `known`, may be null: a head of this very chain that the caller's own memory vouches for; then
/// what makes up that head is taken without a look at each signature.
/// Errors: Io, Unreachable.
Result<StoredChain> read_stored_chain(const Store& store, const TrustId& trust, const ChainId& id,
                                      const EntryNumbers& numbers, const MaySign& may_sign,
                                      const ChainHead* known = nullptr);

/// Takes in what follows on a chain's last entry, up to the first that is not there. Errors: Io,
/// Unreachable; Corrupt, Denied, Full (at an entry that does not hold).
Result<void> read_on(const Store& store, const MaySign& may_sign, Chain& chain,
                     std::vector<LedgerEntry>& entries);

}  // namespace holdfast::vault
