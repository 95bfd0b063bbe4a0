#include "agent/browse/statistics.h"

#include <map>
#include <set>

namespace holdfast::agent {
namespace {

using Records = std::vector<vault::SnapshotRecord>;

using Packs = std::set<PackId>;

/// Teaches the index the packs of all snapshots in `records`, and answers which those are. A fresh
/// index (of a partner's vault, or after a loss) learns a snapshot's packs by its manifest.
Result<Packs> learn_packs(vault::VaultReader& reader, const Records& records) {
    Packs packs;
    for (const vault::SnapshotRecord& record : records) {
        bool unknown = false;
        for (const PackId& pack : HF_TRY(reader.packs_of(record))) {
            if (packs.insert(pack).second && !unknown) {
                unknown = !HF_TRY(reader.index().has_pack(pack));
            }
        }
        if (!unknown) continue;
        const auto manifest = reader.manifest(record);
        if (!manifest && manifest.error().code != Errc::Locked) return manifest.error();
    }
    return packs;
}

Result<void> add_packs(const std::map<PackId, vault::PackUsage>& usage, const Packs& packs,
                       Amount& amount) {
    for (const PackId& pack : packs) {
        const auto known = usage.find(pack);
        if (known == usage.end()) {
            return Error{Errc::NotFound, vault::pack_name(pack) + " is not in the index"};
        }
        amount.stored_bytes += known->second.stored_bytes;
        amount.unique_bytes += known->second.content_bytes;
        ++amount.packs;
    }
    return {};
}

/// All but what the packs tell.
Result<SystemStatistics> count_snapshots(vault::VaultReader& reader, const Records& records) {
    SystemStatistics out;
    out.system = records.front().system;
    out.oldest_ms = records.front().time;
    out.newest_ms = records.back().time;
    out.amount.snapshots = records.size();
    for (const vault::SnapshotRecord& record : records) out.amount.logical_bytes += record.bytes;
    const auto manifest = reader.manifest(records.back());
    out.locked = !manifest && manifest.error().code == Errc::Locked;
    if (!manifest && !out.locked) return manifest.error();
    if (out.locked) return out;
    for (const vault::SourceInfo& source : manifest->sources) {
        out.sources.push_back({source.name, source.tree.entries, source.tree.bytes, {}});
    }
    return out;
}

/// An older snapshot may be locked though the newest is not.
Result<void> add_usage(vault::VaultReader& reader, const Records& records,
                       SourceUsageProgress& progress, SystemStatistics& system) {
    const auto usage = usage_by_source(reader, records, progress);
    if (!usage && usage.error().code == Errc::Locked) return {};
    if (!usage) return usage.error();
    for (SystemStatistics::Source& source : system.sources) {
        source.usage = usage->at(source.name);
    }
    return {};
}

}  // namespace

Result<Statistics> statistics(vault::VaultReader& reader, const std::string& system,
                              SourceUsageProgress* by_source) {
    if (!system.empty()) HF_TRY(reader.latest(system));
    std::map<std::string, Records> by_system;
    for (const vault::SnapshotRecord& record : reader.snapshots()) {
        if (system.empty() || record.system == system) by_system[record.system].push_back(record);
    }
    std::map<std::string, Packs> packs;
    for (const auto& [name, records] : by_system) {
        packs[name] = HF_TRY(learn_packs(reader, records).within(name));
    }
    const auto usage = HF_TRY(reader.index().usage());
    Statistics out;
    Packs all;
    for (const auto& [name, records] : by_system) {
        SystemStatistics one = HF_TRY(count_snapshots(reader, records).within(name));
        HF_TRY(add_packs(usage, packs[name], one.amount).within(name));
        if (by_source != nullptr && !one.locked) {
            HF_TRY(add_usage(reader, records, *by_source, one).within(name));
        }
        all.merge(packs[name]);
        out.all.snapshots += one.amount.snapshots;
        out.all.logical_bytes += one.amount.logical_bytes;
        out.systems.push_back(std::move(one));
    }
    HF_TRY(add_packs(usage, all, out.all));
    return out;
}

}  // namespace holdfast::agent
