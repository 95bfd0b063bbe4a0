#include "vault/prune/repack.h"

#include "vault/base/fault.h"
#include "vault/base/throttle.h"
#include "vault/pack/pack_writer.h"
#include "vault/prune/needed_chunks.h"

#include <algorithm>
#include <map>
#include <vector>

namespace holdfast::vault {
namespace {

/// A pack with what is needed of it.
struct Sparse {
    PackId id;
    std::uint64_t bytes = 0;
    std::uint64_t needed = 0;

    /// By how little of it is needed.
    bool operator<(const Sparse& other) const {
        const double mine = static_cast<double>(needed) / static_cast<double>(bytes);
        const double theirs = static_cast<double>(other.needed) / static_cast<double>(other.bytes);
        return mine != theirs ? mine < theirs : id < other.id;
    }
};

std::uint64_t bytes_in_full_packs(std::uint64_t needed) {
    const std::uint64_t rest = needed % pack_bytes_aim;
    return needed - rest + (rest == 0 ? 0 : padded_length(rest));
}

/// One domain's snapshots: packs are of one domain, and so is whoever writes them.
struct DomainWork {
    std::vector<SnapshotRecord> records;  // By time.
    std::set<PackId> packs;
};

/// Snapshots that will stand on the same packs.
struct Relisted {
    PackSet packs;
    std::vector<SnapshotRecord> records;
};

class Repacker {
public:
    Repacker(Vault& vault, const RepackSettings& settings)
        : vault_(&vault),
          settings_(&settings),
          needed_(vault.reader()),
          throttle_(settings.bytes_per_second_max) {}

    Result<RepackReport> run();

private:
    Result<void> collect();
    Result<std::set<SnapshotId>> snapshots_in_use() const {
        return settings_->in_use ? settings_->in_use() : std::set<SnapshotId>();
    }
    Result<void> pin(const std::set<SnapshotId>& in_use);
    Result<void> repack_domain(const DomainId& id, DomainWork& work);
    std::vector<Sparse> sparse_of(const DomainWork& work);
    Result<void> move_out(const Sparse& pack, const Vault::Writing& writing);
    Result<void> write_filled(const Vault::Writing& writing);
    Result<void> relist(const DomainWork& work);
    Result<std::optional<PackSet>> packs_after(const SnapshotRecord& record);
    Result<void> relist_group(Relisted& group, std::optional<ResolvedList>& base);
    /// Nothing if it is damage, which stays where it is.
    Result<void> pass_over(const std::string& object, const Error& error);
    Result<bool> lies_elsewhere(const ChunkId& chunk, const PackId& pack);
    Result<void> may_go_on() const {
        if (settings_->progress == nullptr || !settings_->progress->stop) return {};
        return Error{Errc::Interrupted, "stopped; run it again to go on"};
    }

    Vault* vault_;
    const RepackSettings* settings_;
    NeededChunks needed_;
    Throttle throttle_;
    RepackReport report_;
    std::map<DomainId, DomainWork> work_;
    std::set<PackId> pinned_;
    std::map<PackId, std::uint64_t> needed_bytes_;
    std::set<PackId> leaving_;  // The packs whose chunks move.
    // Where the chunks of a leaving pack are then.
    std::map<PackId, std::set<PackId>> instead_;
    std::set<ChunkId> moved_;  // In the segments that are being filled, or in a pack written now.
    std::vector<SealedSegment> filling_;
    std::uint64_t filled_ = 0;
    std::set<PackId> filling_from_;
};

Result<RepackReport> Repacker::run() {
    const Presence presence = HF_TRY(vault_->enter());
    HF_TRY(collect());
    for (auto& [id, work] : work_) HF_TRY(repack_domain(id, work));
    return report_;
}

Result<void> Repacker::collect() {
    VaultReader& reader = vault_->reader();
    std::set<ListId> ours;
    for (const SnapshotRecord& record : reader.snapshots()) {
        HF_TRY(may_go_on());
        if (settings_->as_if_forgotten.contains(record.id)) continue;
        const auto packs = HF_TRY(reader.packs_of(record));
        const auto added = needed_.add(record);
        if (!added) {
            HF_TRY(pass_over("snapshot " + record.id.hex(), added.error()));
            pinned_.insert(packs.begin(), packs.end());
        }
        DomainWork& work = work_[record.domain];
        work.records.push_back(record);
        work.packs.insert(packs.begin(), packs.end());
        ours.insert(record.list);
        if (settings_->progress != nullptr) ++settings_->progress->snapshots_read;
    }
    needed_.settle();
    needed_bytes_ = HF_TRY(
        reader.index().sealed_bytes([&](const ChunkId& chunk, Kind kind, const PackId& pack) {
            return needed_.has(chunk, kind, pack);
        }));
    // What entries that cannot be read here stand on stays as it is.
    std::set<SnapshotId> forgotten = reader.standing().forgotten();
    forgotten.insert(settings_->as_if_forgotten.begin(), settings_->as_if_forgotten.end());
    for (const ListId& id : reader.standing().live_lists(reader.ledger(), forgotten)) {
        if (ours.contains(id)) continue;
        const auto list = HF_TRY(reader.ledger().list(id));
        pinned_.insert(list.packs.begin(), list.packs.end());
    }
    return pin(HF_TRY(snapshots_in_use()));
}

Result<void> Repacker::pass_over(const std::string& object, const Error& error) {
    if (error.code != Errc::Corrupt && error.code != Errc::NotFound) return error;
    report_.damage.push_back({object, error.message});
    return {};
}

Result<void> Repacker::pin(const std::set<SnapshotId>& in_use) {
    for (const auto& [domain, work] : work_) {
        for (const SnapshotRecord& record : work.records) {
            if (!in_use.contains(record.id)) continue;
            const auto packs = HF_TRY(vault_->reader().packs_of(record));
            pinned_.insert(packs.begin(), packs.end());
        }
    }
    return {};
}

/// The emptiest packs, so many that half of what may be unused is left. None while less than that
/// is.
std::vector<Sparse> Repacker::sparse_of(const DomainWork& work) {
    std::vector<Sparse> packs;
    std::uint64_t stored = 0;
    std::uint64_t unused = 0;
    for (const PackId& id : work.packs) {
        const auto bytes = vault_->store().size(pack_name(id));
        if (!bytes) continue;  // verify names it; a snapshot that needs it is not relisted.
        const Sparse pack{id, *bytes, std::min(*bytes, needed_bytes_[id])};
        stored += pack.bytes;
        unused += pack.bytes - pack.needed;
        if (!pinned_.contains(id)) packs.push_back(pack);
    }
    const std::uint64_t unused_max = stored / 100 * settings_->unused_percent_max;
    if (unused <= unused_max) return {};
    std::sort(packs.begin(), packs.end());
    std::uint64_t old_bytes = 0;
    std::uint64_t needed = 0;
    std::size_t count = 0;
    while (count < packs.size() && unused > unused_max / 2) {
        const Sparse& pack = packs[count++];
        unused -= pack.bytes - pack.needed;
        old_bytes += pack.bytes;
        needed += pack.needed;
    }
    packs.resize(count);
    // Packs have a least size: a single small one would only become another.
    if (bytes_in_full_packs(needed) > old_bytes / 4 * 3) return {};
    return packs;
}

Result<void> Repacker::repack_domain(const DomainId& id, DomainWork& work) {
    const auto domain = vault_->domains().find(id);
    if (domain == vault_->domains().end() || !domain->second.naming) return {};
    const std::vector<Sparse> packs = sparse_of(work);
    if (packs.empty()) return {};
    if (settings_->dry_run) {
        std::uint64_t needed = 0;
        for (const Sparse& pack : packs) {
            ++report_.old_packs;
            report_.old_bytes += pack.bytes;
            needed += pack.needed;
        }
        report_.new_packs += (needed + pack_bytes_aim - 1) / pack_bytes_aim;
        report_.new_bytes += bytes_in_full_packs(needed);
        return {};
    }
    const DomainRecord& record = domain->second.record;
    const auto writing = HF_TRY(vault_->begin_writing(record.name, record.opening_keys));
    if (writing.epoch.domain != id) return {};  // Another domain of that name is written now.
    leaving_.clear();
    instead_.clear();
    moved_.clear();
    for (const Sparse& pack : packs) {
        leaving_.insert(pack.id);
        if (settings_->progress != nullptr) settings_->progress->bytes_all += pack.bytes;
    }
    for (const Sparse& pack : packs) {
        HF_TRY(may_go_on());
        const auto moved = move_out(pack, writing);
        if (!moved) {
            HF_TRY(pass_over(pack_name(pack.id), moved.error()));
            HF_TRY(vault_->index().mark_bad(pack.id));
            leaving_.erase(pack.id);
        } else {
            ++report_.old_packs;
            report_.old_bytes += pack.bytes;
        }
        if (settings_->progress != nullptr) settings_->progress->bytes_done += pack.bytes;
    }
    HF_TRY(write_filled(writing));
    return relist(work);
}

/// True if the chunk need not be moved: a pack that stays has it, or it was moved already.
Result<bool> Repacker::lies_elsewhere(const ChunkId& chunk, const PackId& pack) {
    for (const ChunkPlace& place : HF_TRY(vault_->index().sound_places(chunk))) {
        if (leaving_.contains(place.pack)) continue;
        instead_[pack].insert(place.pack);
        return true;
    }
    return !moved_.insert(chunk).second;
}

Result<void> Repacker::move_out(const Sparse& pack, const Vault::Writing& writing) {
    const Buffer file = HF_TRY(vault_->store().get_all(pack_name(pack.id), pack_bytes_max));
    if (file.size() < pack_bytes_min || pack_id_of(file) != pack.id) {
        return Error{Errc::Corrupt, "its bytes are not those of its name"};
    }
    throttle_.spend(file.size());
    const Directory directory = HF_TRY(open_directory(vault_->store(), pack.id, vault_->keys()));
    const bool is_full = filled_ + pack.needed > pack_bytes_aim ||
                         filling_.size() + directory.segments.size() > segments_max;
    if (is_full) HF_TRY(write_filled(writing));
    instead_[pack.id];
    filling_from_.insert(pack.id);
    std::uint64_t at = pack_header_bytes;
    for (const DirectorySegment& segment : directory.segments) {
        SealedSegment moved{{segment.name, {}}, {}};
        std::uint32_t gap = 0;
        for (const DirectoryChunk& chunk : segment.chunks) {
            const View sealed = View(file).subspan(at, chunk.sealed_bytes);
            at += chunk.sealed_bytes;
            const bool goes = !chunk.is_gap() &&
                              needed_.has(chunk.id, segment.name.kind, pack.id) &&
                              !HF_TRY(lies_elsewhere(chunk.id, pack.id));
            if (!goes) {
                gap += static_cast<std::uint32_t>(chunk.numbers());
                continue;
            }
            if (gap != 0) moved.directory.chunks.push_back(DirectoryChunk::gap(gap));
            gap = 0;
            moved.directory.chunks.push_back(chunk);
            moved.sealed.insert(moved.sealed.end(), sealed.begin(), sealed.end());
        }
        if (moved.sealed.empty()) continue;
        filled_ += moved.bytes();
        filling_.push_back(std::move(moved));
    }
    return {};
}

Result<void> Repacker::write_filled(const Vault::Writing& writing) {
    if (!filling_.empty()) {
        BuiltPack built = build_pack(std::exchange(filling_, {}), writing.epoch, system_random());
        throttle_.spend(built.file.size());
        HF_TRY(vault_->store().put(pack_name(built.id), built.file));
        fault_point("repacked pack stored");
        HF_TRY(vault_->index().add_pack(built.id, built.file.size(), built.directory));
        ++report_.new_packs;
        report_.new_bytes += built.file.size();
        for (const PackId& from : filling_from_) instead_[from].insert(built.id);
    }
    filled_ = 0;
    filling_from_.clear();
    return {};
}

/// One entry for all that stand on the same packs afterwards, in the order of time.
Result<void> Repacker::relist(const DomainWork& work) {
    std::map<ListId, std::optional<PackSet>> packs_of;  // By the list before; nothing: it stays.
    std::vector<Relisted> groups;
    std::map<PackSet, std::size_t> group_of;
    for (const SnapshotRecord& record : work.records) {
        const auto [known, is_new] = packs_of.try_emplace(record.list);
        if (is_new) known->second = HF_TRY(packs_after(record));
        if (!known->second) continue;
        const auto [at, added] = group_of.try_emplace(*known->second, groups.size());
        if (added) groups.push_back({*known->second, {}});
        groups[at->second].records.push_back(record);
    }
    std::optional<ResolvedList> base;
    for (Relisted& group : groups) HF_TRY(relist_group(group, base));
    return {};
}

/// Nothing if none of them was left.
Result<std::optional<PackSet>> Repacker::packs_after(const SnapshotRecord& record) {
    std::set<PackId> packs = HF_TRY(vault_->reader().packs_of(record));
    bool changed = false;
    for (const auto& [old, instead] : instead_) {
        if (packs.erase(old) == 0) continue;
        packs.insert(instead.begin(), instead.end());
        changed = true;
    }
    if (!changed) return std::optional<PackSet>{};
    return std::optional(PackSet(packs.begin(), packs.end()));
}

Result<void> Repacker::relist_group(Relisted& group, std::optional<ResolvedList>& base) {
    VaultReader& reader = vault_->reader();
    const BuiltList built = build_list(std::move(group.packs), base ? &*base : nullptr);
    for (std::size_t at = 0; at < group.records.size(); at += standing_snapshots_max) {
        const Fd lock = HF_TRY(vault_->lock_commits());
        HF_TRY(reader.refresh());
        const std::set<SnapshotId> in_use = HF_TRY(snapshots_in_use());
        std::map<SnapshotId, ListId> now;  // One may have been forgotten meanwhile.
        for (const SnapshotRecord& record : reader.snapshots()) now[record.id] = record.list;
        std::vector<SnapshotId> ids;
        const std::size_t end = std::min(at + standing_snapshots_max, group.records.size());
        for (std::size_t i = at; i < end; ++i) {
            const SnapshotRecord& record = group.records[i];
            const auto found = now.find(record.id);
            const bool as_it_was = found != now.end() && found->second == record.list;
            if (as_it_was && !in_use.contains(record.id)) ids.push_back(record.id);
        }
        if (ids.empty()) continue;
        HF_TRY(vault_->relist(ids, built));
        fault_point("snapshots relisted");
        report_.snapshots += ids.size();
        base = built.list;
    }
    return {};
}

}  // namespace

Result<RepackReport> repack(Vault& vault, const RepackSettings& settings) {
    return Repacker(vault, settings).run();
}

}  // namespace holdfast::vault
