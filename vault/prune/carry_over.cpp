#include "vault/prune/carry_over.h"

#include "vault/base/fault.h"
#include "vault/keys/key_ring.h"
#include "vault/ledger/body.h"
#include "vault/ledger/may_sign.h"
#include "vault/ledger/standing.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace holdfast::vault {
namespace {

using Snapshots = std::unordered_set<SnapshotId, IdHash<SnapshotTag>>;

/// What of this node's chain still says something, in a ledger that was read just now.
class Chooser {
public:
    Chooser(Vault& vault, const std::set<SnapshotId>& attached)
        : own_(vault.chain().id()), ledger_(&vault.reader().ledger()) {
        const Standing& standing = vault.reader().standing();
        std::set<SnapshotId> given_up = standing.forgotten();
        for (const SnapshotId& id : attached) given_up.erase(id);
        for (const auto& [chain, entries] : ledger_->entries()) {
            for (const LedgerEntry& entry : entries) {
                const SnapshotId id = snapshot_id(entry.envelope);
                if (chain != own_ || !given_up.contains(id)) there_.insert(id);
                if (!given_up.contains(id)) standing_.insert(id);
            }
        }
        deciding_ =
            standing.deciding([this](const SnapshotId& id) { return standing_.contains(id); });
    }

    std::vector<const LedgerEntry*> entries() const {
        std::vector<const LedgerEntry*> kept;
        for (const LedgerEntry& entry : ledger_->entries().at(own_)) {
            if (says_something(entry)) kept.push_back(&entry);
        }
        return kept;
    }

    /// What relists say of snapshots that stand, where it is said together with much that does not,
    /// or by several.
    std::map<ListId, std::vector<SnapshotId>> scattered() const {
        struct Gathered {
            std::vector<SnapshotId> snapshots;
            std::size_t entries = 0;
            std::size_t named = 0;
        };
        std::map<ListId, Gathered> by_list;
        for (const auto& [at, entry] : deciding_) {
            if (at.first != own_) continue;
            Gathered& all = by_list[entry.list];
            all.snapshots.insert(all.snapshots.end(), entry.snapshots.begin(),
                                 entry.snapshots.end());
            all.named += entry.named;
            ++all.entries;
        }
        std::map<ListId, std::vector<SnapshotId>> out;
        for (auto& [list, all] : by_list) {
            const bool is_short = all.entries == 1 && all.named == all.snapshots.size();
            if (!is_short) out[list] = std::move(all.snapshots);
        }
        return out;
    }

private:
    /// What cannot be read is kept.
    bool says_something(const LedgerEntry& entry) const {
        const Envelope& envelope = entry.envelope;
        const auto form = body_form(entry);
        if (form == BodyForm::Carry) return false;
        if (form != BodyForm::Clear) return there_.contains(snapshot_id(envelope));
        const KeyRing none;
        const auto text = open_body(entry, none);
        const auto body = text ? parse_standing_body(*text) : text.error();
        if (!body || !*body) return true;
        if ((*body)->kind == StandingKind::Relist) {
            return deciding_.contains({envelope.chain, envelope.number});
        }
        return std::ranges::any_of((*body)->snapshots,
                                   [&](const SnapshotId& id) { return there_.contains(id); });
    }

    ChainId own_;
    const Ledger* ledger_;
    Snapshots there_;     // Entries that will be there: of this chain those not given up.
    Snapshots standing_;  // Entries that are not given up.
    std::map<std::pair<ChainId, std::uint64_t>, Standing::Deciding> deciding_;
};

/// The chain from its newest carry on: this process may know it from an older one on.
Result<StoredChain> own_chain(Vault& vault) {
    const ChainId& id = vault.chain().id();
    const EntryNumbers numbers = HF_TRY(stored_entries(vault.store(), id));
    return read_stored_chain(vault.store(), vault.roster().trust, id, numbers,
                             nodes_may_sign(vault.roster()));
}

bool is_due(const StoredChain& own, std::uint64_t entries_min) {
    const std::uint64_t since = own.chain.length() - own.chain.first();
    const std::uint64_t carried = own.entries.size() - since;
    return since >= std::max(entries_min, carried / 2);
}

Result<std::uint64_t> erase_before(Vault& vault, std::uint64_t first) {
    const ChainId id = vault.chain().id();
    std::uint64_t erased = 0;
    for (const std::uint64_t number : HF_TRY(stored_entries(vault.store(), id))) {
        if (number >= first) break;
        const auto removed = vault.store().remove(entry_name(id, number));
        if (!removed && removed.error().code != Errc::NotFound) return removed.error();
        if (removed) ++erased;
        fault_point("carried entry erased");
    }
    return erased;
}

}  // namespace

Result<CarryReport> carry_ledger_over(Vault& vault, const CarrySettings& settings) {
    // Who mounts something says so under this lock.
    const Fd lock = HF_TRY(vault.lock_commits());
    std::set<SnapshotId> attached;
    if (settings.attached) attached = HF_TRY(settings.attached());
    HF_TRY(vault.reader().refresh());
    CarryReport report;
    if (!vault.reader().ledger_gaps().empty() || !vault.chain().damage().empty()) return report;
    const StoredChain own = HF_TRY(own_chain(vault));
    report.before = own.entries.size();
    if (!is_due(own, settings.entries_min)) return report;
    report.carried = true;
    const Chooser before(vault, attached);
    report.kept = before.entries().size();
    if (settings.dry_run) return report;
    for (const auto& [list, snapshots] : before.scattered()) {
        HF_TRY(vault.repeat_relist(snapshots, list));
    }
    HF_TRY(vault.chain().carry_over([&]() -> Result<std::vector<const LedgerEntry*>> {
        HF_TRY(vault.reader().refresh());
        auto kept = Chooser(vault, attached).entries();
        report.kept = kept.size();
        return kept;
    }));
    report.erased = HF_TRY(erase_before(vault, own.chain.first()));
    return report;
}

}  // namespace holdfast::vault
