#include "vault/prune/erase.h"

#include "vault/base/fault.h"
#include "vault/base/lock_file.h"
#include "vault/ledger/standing.h"
#include "vault/prune/presence.h"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <vector>

namespace holdfast::vault {
namespace {

constexpr std::size_t batch_objects = 256;  // Erased under one lock: a tenth of a second.

/// What live entries of the ledger name.
class Needs {
public:
    Needs(VaultReader& reader, const EraseSettings& settings)
        : reader_(&reader), settings_(&settings) {}

    /// Takes in what the ledger has now. Only grows: what was forgotten since stays needed.
    Result<void> refresh() {
        HF_TRY(reader_->refresh());
        const Standing& standing = reader_->standing();
        std::set<SnapshotId> forgotten = standing.forgotten();
        forgotten.insert(settings_->as_if_forgotten.begin(), settings_->as_if_forgotten.end());
        if (settings_->attached) {
            for (const SnapshotId& id : HF_TRY(settings_->attached())) forgotten.erase(id);
        }
        for (const ListId& id : standing.live_lists(reader_->ledger(), forgotten)) {
            if (seen_.insert(id).second) HF_TRY(add(id));
        }
        return {};
    }

    bool has(const PackId& pack) const { return packs_.contains(pack); }
    bool has(const ListId& list) const { return lists_.contains(list); }

private:
    Result<void> add(const ListId& id) {
        if (settings_->progress != nullptr) {
            if (settings_->progress->stop) return Error{Errc::Interrupted, "stopped"};
            ++settings_->progress->lists_read;
        }
        const auto list = reader_->ledger().list(id);
        if (!list && list.error().code == Errc::NotFound) return lost(id, "is missing");
        if (!list && list.error().code == Errc::Corrupt) return lost(id, "is damaged");
        if (!list) return list.error();
        packs_.insert(list->packs.begin(), list->packs.end());
        for (ListId at = id; !at.zero() && lists_.insert(at).second;) {
            const Buffer object = HF_TRY(reader_->store().get_all(list_name(at), list_bytes_max));
            at = HF_TRY(parse_list(object)).base;
        }
        return {};
    }

    static Error lost(const ListId& id, const std::string& how) {
        return {Errc::Corrupt,
                list_name(id) + " " + how +
                    ": which packs its snapshots need is not known, so nothing is erased "
                    "(holdfast repair brings it from a partner; or forget those snapshots)"};
    }

    VaultReader* reader_;
    const EraseSettings* settings_;
    std::set<ListId> seen_;   // Live.
    std::set<ListId> lists_;  // Live, or a base of one that is.
    std::unordered_set<PackId, IdHash<PackTag>> packs_;
};

class Eraser {
public:
    Eraser(Vault& vault, const EraseSettings& settings)
        : vault_(&vault), settings_(&settings), needs_(vault.reader(), settings) {}

    Result<EraseReport> run();

private:
    struct Candidate {
        PackId id;
        std::uint64_t bytes = 0;
        bool indexed = false;
    };

    Result<void> check_ledger() const;
    Result<void> survey();
    Result<void> doom();
    Result<void> choose();
    Result<void> erase_packs();
    Result<void> erase_lists();
    /// Removes what is still not needed, under the lock. Answers how much that was.
    template <class SomeId>
    Result<std::size_t> erase_batch(const std::vector<std::pair<SomeId, std::string>>& batch,
                                    std::vector<SomeId>& gone);
    Result<void> may_go_on() const {
        if (settings_->progress == nullptr || !settings_->progress->stop) return {};
        return Error{Errc::Interrupted, "stopped; run it again to go on"};
    }

    Vault* vault_;
    const EraseSettings* settings_;
    Needs needs_;
    EraseReport report_;
    std::vector<Candidate> unneeded_;
    std::vector<Candidate> chosen_;
    std::vector<ListId> lists_;
};

Result<EraseReport> Eraser::run() {
    HF_TRY(needs_.refresh());
    HF_TRY(check_ledger());
    HF_TRY(survey());
    if (!settings_->dry_run) HF_TRY(doom());
    HF_TRY(choose());
    if (settings_->dry_run) return report_;
    HF_TRY(erase_packs());
    HF_TRY(erase_lists());
    HF_TRY(vault_->sweep());
    return report_;
}

Result<void> Eraser::check_ledger() const {
    if (settings_->despite_damage) return {};
    const std::vector<Damage> gaps = vault_->reader().ledger_gaps();
    if (gaps.empty()) return {};
    return Error{
        Errc::Corrupt,
        gaps.front().object + ": " + gaps.front().what +
            ": the snapshots of these entries are not known, and what only they need "
            "would be erased. Bring the entries back (holdfast repair), or give them up with "
            "--despite-damage"};
}

/// What the store has: first the packs, and only then, in choose(), who is present. So a pack that
/// a process stores and has not indexed yet is either not seen here, or its process is seen there.
Result<void> Eraser::survey() {
    Vault& vault = *vault_;
    HF_TRY(vault.store().list("pack/", [&](const std::string& name) -> Result<void> {
        HF_TRY(may_go_on());
        const auto id = id_in_name(name);
        if (!id || pack_name(PackId{id->digest}) != name) return {};  // Nothing of ours.
        Candidate pack{PackId{id->digest}};
        const auto bytes = vault.store().size(name);
        if (!bytes && bytes.error().code == Errc::NotFound) return {};  // Another prune is at work.
        pack.bytes = HF_TRY(bytes);
        if (needs_.has(pack.id)) {
            ++report_.needed.packs;
            report_.needed.bytes += pack.bytes;
            return {};
        }
        pack.indexed = HF_TRY(vault.index().has_pack(pack.id));
        unneeded_.push_back(pack);
        return {};
    }));
    return vault.store().list("list/", [&](const std::string& name) -> Result<void> {
        const auto id = id_in_name(name);
        if (!id || list_name(ListId{id->digest}) != name) return {};
        if (!needs_.has(ListId{id->digest})) lists_.push_back(ListId{id->digest});
        return {};
    });
}

Result<void> Eraser::doom() {
    std::vector<PackId> doomed;
    for (const Candidate& pack : unneeded_) {
        if (pack.indexed) doomed.push_back(pack.id);
    }
    std::vector<PackId> revived;
    std::vector<PackId> gone;  // Erased by a prune that was killed before it told the index.
    for (const auto& [pack, generation] : HF_TRY(vault_->index().doomed())) {
        if (needs_.has(pack)) {
            revived.push_back(pack);
            continue;
        }
        const auto size = vault_->store().size(pack_name(pack));
        if (!size && size.error().code == Errc::NotFound) gone.push_back(pack);
    }
    if (!revived.empty()) HF_TRY(vault_->index().revive(revived));
    HF_TRY(vault_->index().remove_packs(gone));
    if (!doomed.empty()) HF_TRY(vault_->index().doom(doomed));
    fault_point("packs doomed");
    return {};
}

Result<void> Eraser::choose() {
    const Present present = HF_TRY(vault_->present());
    report_.processes = present.processes;
    const auto doomed = HF_TRY(vault_->index().doomed());
    for (const Candidate& pack : unneeded_) {
        const auto found = doomed.find(pack.id);
        const std::uint64_t generation =
            found != doomed.end() ? found->second : std::numeric_limits<std::uint64_t>::max();
        const bool may = present.processes == 0 || generation <= present.oldest_generation;
        PackAmount& amount = may ? report_.erased : report_.waiting;
        ++amount.packs;
        amount.bytes += pack.bytes;
        if (may) chosen_.push_back(pack);
    }
    if (settings_->progress != nullptr) settings_->progress->bytes_all = report_.erased.bytes;
    report_.lists = lists_.size();
    return {};
}

template <class SomeId>
Result<std::size_t> Eraser::erase_batch(const std::vector<std::pair<SomeId, std::string>>& batch,
                                        std::vector<SomeId>& gone) {
    const Fd lock = HF_TRY(vault_->lock_commits());
    HF_TRY(needs_.refresh());
    const std::size_t before = gone.size();
    for (const auto& [id, name] : batch) {
        if (needs_.has(id)) continue;
        auto removed = vault_->store().remove(name);
        if (!removed && removed.error().code != Errc::NotFound) return std::move(removed).error();
        gone.push_back(id);
        fault_point("unneeded object erased");
    }
    return gone.size() - before;
}

Result<void> Eraser::erase_packs() {
    report_.erased = {};
    std::vector<PackId> gone;
    std::vector<PackId> revived;
    Result<void> done;
    for (std::size_t at = 0; at < chosen_.size() && done; at += batch_objects) {
        const std::size_t end = std::min(chosen_.size(), at + batch_objects);
        std::vector<std::pair<PackId, std::string>> batch;
        for (std::size_t i = at; i < end; ++i) {
            batch.emplace_back(chosen_[i].id, pack_name(chosen_[i].id));
        }
        const std::size_t before = gone.size();
        const auto erased = erase_batch(batch, gone);
        const std::set<PackId> went(gone.begin() + static_cast<std::ptrdiff_t>(before), gone.end());
        for (std::size_t i = at; i < end; ++i) {
            if (!went.contains(chosen_[i].id)) {
                if (erased) revived.push_back(chosen_[i].id);
                continue;
            }
            ++report_.erased.packs;
            report_.erased.bytes += chosen_[i].bytes;
            if (settings_->progress != nullptr) {
                settings_->progress->bytes_done += chosen_[i].bytes;
            }
        }
        done = erased ? may_go_on() : Result<void>(erased.error());
    }
    // Also after an error: what is gone is told to the index once, since that is a pass over all.
    HF_TRY(vault_->index().remove_packs(gone));
    HF_TRY(vault_->index().revive(revived));
    return done;
}

Result<void> Eraser::erase_lists() {
    std::vector<ListId> gone;
    for (std::size_t at = 0; at < lists_.size(); at += batch_objects) {
        HF_TRY(may_go_on());
        std::vector<std::pair<ListId, std::string>> batch;
        for (std::size_t i = at; i < std::min(lists_.size(), at + batch_objects); ++i) {
            batch.emplace_back(lists_[i], list_name(lists_[i]));
        }
        HF_TRY(erase_batch(batch, gone));
    }
    report_.lists = gone.size();
    return {};
}

}  // namespace

Result<EraseReport> erase_unneeded(Vault& vault, const EraseSettings& settings) {
    return Eraser(vault, settings).run();
}

}  // namespace holdfast::vault
