// Stored chain: a chain as a store has it, from the newest whole carry on, or from its first entry.
//
// What lies before a carry is neither needed nor read: it may be gone, wholly or in part.
// Belongs to one thread.
#pragma once

#include "vault/ledger/carry.h"
#include "vault/store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace holdfast::vault {

/// The numbers of a chain's entries in a store, rising.
using EntryNumbers = std::vector<std::uint64_t>;

/// Of all chains. Errors: Io, Unreachable, Corrupt (a name that is no chain's).
Result<std::map<ChainId, EntryNumbers>> stored_entries(const Store& store);

struct StoredChain {
    Chain chain;
    std::vector<LedgerEntry> entries;  // The carried ones, then those from chain.first() on.
    std::optional<Error> broken;       // At the first entry that does not hold: it is not in.
};

/// Errors: Io, Unreachable.
Result<StoredChain> read_stored_chain(const Store& store, const TrustId& trust, const ChainId& id,
                                      const EntryNumbers& numbers, const MaySign& may_sign);

/// Takes in what follows on a chain's last entry, up to the first that is not there. Errors: Io,
/// Unreachable; Corrupt, Denied, Full (at an entry that does not hold).
Result<void> read_on(const Store& store, const MaySign& may_sign, Chain& chain,
                     std::vector<LedgerEntry>& entries);

}  // namespace holdfast::vault
