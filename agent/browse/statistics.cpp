#include "agent/browse/statistics.h"

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::agent {
namespace {

using Records = std::vector<vault::SnapshotRecord>;

class Counting {
public:
    explicit Counting(vault::VaultReader& reader) : reader_(&reader) {}

    Result<SystemStatistics> count(const std::string& system, const Records& records) {
        SystemStatistics out;
        out.system = system;
        out.oldest_ms = records.front().time;
        out.newest_ms = records.back().time;
        std::set<PackId> packs;
        for (const vault::SnapshotRecord& record : records) {
            out.amount.logical_bytes += record.bytes;
            const auto listed = HF_TRY(reader_->packs_of(record));
            HF_TRY(learn(record, listed));
            packs.insert(listed.begin(), listed.end());
        }
        out.amount.snapshots = records.size();
        add_packs(packs, out.amount);
        all_.insert(packs.begin(), packs.end());
        HF_TRY(count_sources(records.back(), out));
        return out;
    }

    void add_all(Amount& amount) const { add_packs(all_, amount); }

private:
    /// A fresh index (at a partner's, or after a loss) learns a snapshot's packs by its manifest.
    Result<void> learn(const vault::SnapshotRecord& record, const std::set<PackId>& packs) {
        if (usage_.empty()) usage_ = HF_TRY(reader_->index().usage());
        const bool known = std::all_of(packs.begin(), packs.end(),
                                       [&](const PackId& pack) { return usage_.contains(pack); });
        if (known) return {};
        const auto manifest = reader_->manifest(record);
        if (!manifest && manifest.error().code != Errc::Locked) return manifest.error();
        usage_ = HF_TRY(reader_->index().usage());
        return {};
    }

    void add_packs(const std::set<PackId>& packs, Amount& amount) const {
        for (const PackId& pack : packs) {
            const auto known = usage_.find(pack);
            if (known == usage_.end()) continue;
            amount.stored_bytes += known->second.stored_bytes;
            amount.unique_bytes += known->second.content_bytes;
            ++amount.packs;
        }
    }

    Result<void> count_sources(const vault::SnapshotRecord& record, SystemStatistics& out) {
        const auto manifest = reader_->manifest(record);
        if (!manifest && manifest.error().code == Errc::Locked) {
            out.locked = true;
            return {};
        }
        if (!manifest) return manifest.error();
        for (const vault::SourceInfo& source : manifest->sources) {
            out.sources.push_back({source.name, source.tree.entries, source.tree.bytes});
        }
        return {};
    }

    vault::VaultReader* reader_;
    std::map<PackId, vault::PackUsage> usage_;
    std::set<PackId> all_;
};

}  // namespace

Result<Statistics> statistics(vault::VaultReader& reader, const std::string& system) {
    if (!system.empty()) HF_TRY(reader.latest(system));
    std::map<std::string, Records> by_system;
    for (const vault::SnapshotRecord& record : reader.snapshots()) {
        if (system.empty() || record.system == system) by_system[record.system].push_back(record);
    }
    Counting counting(reader);
    Statistics out;
    for (const auto& [name, records] : by_system) {
        out.systems.push_back(HF_TRY(counting.count(name, records).within(name)));
        out.all.snapshots += out.systems.back().amount.snapshots;
        out.all.logical_bytes += out.systems.back().amount.logical_bytes;
    }
    counting.add_all(out.all);
    return out;
}

}  // namespace holdfast::agent
