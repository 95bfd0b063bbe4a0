// Standing: which snapshots of a ledger stand, and on which lists (docs/vault-format.md, 11).
//
// Two bodies change that. "forget" gives snapshots up; it takes nothing out of the ledger, and
// readers leave out what it names. "relist" says on which list, its entry's, snapshots stand from
// now on: their content is the same, in other packs. Both are clear: hosts, and whoever brings a
// ledger to them, hold no key.
#pragma once

#include "vault/ledger/ledger.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::vault {

/// So many fit into a body.
constexpr std::size_t standing_snapshots_max = 10'000;

enum class StandingKind { Forget, Relist };

struct StandingBody {
    StandingKind kind = StandingKind::Forget;
    std::vector<SnapshotId> snapshots;  // At most standing_snapshots_max.

    friend bool operator==(const StandingBody&, const StandingBody&) = default;
};

std::string encode_standing_body(const StandingBody& body);

/// Nothing if the body is of another type. Errors: Corrupt.
Result<std::optional<StandingBody>> parse_standing_body(std::string_view json);

class Standing {
public:
    /// Takes in what `ledger`, always the same one, has got since. True if snapshots that it knew
    /// may stand otherwise now.
    bool refresh(const Ledger& ledger);

    const std::set<SnapshotId>& forgotten() const { return forgotten_; }
    /// The list that a snapshot stands on, if an entry of type "relist" says so. Of several the one
    /// latest in its chain counts; of several chains that which goes on from the other.
    std::optional<ListId> relisted(const SnapshotId& snapshot) const;
    /// A relist that counts for some of the snapshots that it names.
    struct Deciding {
        ListId list;
        std::vector<SnapshotId> snapshots;  // Those.
        std::size_t named = 0;              // How many it names.
    };
    /// Those that count for snapshots that stand, by their chain and number.
    std::map<std::pair<ChainId, std::uint64_t>, Deciding> deciding(
        const std::function<bool(const SnapshotId&)>& stands) const;

    /// The lists that snapshots stand on, and those that other entries name; not those of snapshots
    /// in `given_up`, nor those that were replaced.
    std::set<ListId> live_lists(const Ledger& ledger, const std::set<SnapshotId>& given_up) const;
    std::set<ListId> live_lists(const Ledger& ledger) const {
        return live_lists(ledger, forgotten_);
    }

    /// Bodies that do not parse: the entry's name, and what is wrong.
    const std::vector<std::pair<std::string, Error>>& damaged() const { return damaged_; }

private:
    /// Compares as the order in which relists count.
    struct Rank {
        std::size_t depth = 0;  // How many chains its chain goes on from.
        std::int64_t time_ms = 0;
        ChainId chain;
        std::uint64_t number = 0;
        bool operator<(const Rank& other) const;
    };
    struct Relisted {
        Rank rank;
        ListId list;
    };

    void read(const LedgerEntry& entry);
    void relist(const LedgerEntry& entry, const std::vector<SnapshotId>& snapshots);
    std::size_t depth(const ChainId& chain) const;

    std::uint64_t generation_ = 0;  // Of the ledger.
    bool changed_ = false;          // By what refresh() read.
    std::map<ChainId, std::size_t> read_;
    std::map<ChainId, ChainId> before_;  // A chain, and the one that it goes on from.
    std::set<SnapshotId> forgotten_;
    std::map<SnapshotId, Relisted> relisted_;
    std::map<std::pair<ChainId, std::uint64_t>, std::vector<SnapshotId>> relists_;  // By entry.
    std::vector<std::pair<std::string, Error>> damaged_;
};

}  // namespace holdfast::vault
