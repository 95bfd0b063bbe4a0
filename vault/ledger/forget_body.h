// Forget bodies: snapshots that a trust gives up (docs/vault-format.md, 11).
//
// The body is clear: hosts, which hold no key, read it as the owner's word that nothing need be
// held for these snapshots any more. It takes nothing out of the ledger; readers leave out what it
// names. Pure functions.
#pragma once

#include "vault/ledger/ledger.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vault {

/// So many fit into a body.
constexpr std::size_t forget_snapshots_max = 10'000;

/// At most forget_snapshots_max ids.
std::string encode_forget_body(const std::vector<SnapshotId>& snapshots);

/// Nothing if the body is of another type. Errors: Corrupt.
Result<std::optional<std::vector<SnapshotId>>> parse_forget_body(std::string_view json);

/// All snapshots that entries of `ledger` forget, with what a body of that type that does not parse
/// has instead: its entry's name. Needs no key.
struct Forgotten {
    std::set<SnapshotId> snapshots;
    std::vector<std::pair<std::string, Error>> damaged;
};
Forgotten forgotten_in(const Ledger& ledger);

/// The lists that entries of `ledger` name, but for those that only forgotten snapshots name.
std::set<ListId> live_lists(const Ledger& ledger, const std::set<SnapshotId>& forgotten);

}  // namespace holdfast::vault
