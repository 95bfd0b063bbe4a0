#include "agent/browse/source_usage.h"

#include "vault/snapshot/leaf.h"
#include "vault/snapshot/refs_walk.h"

#include <unordered_set>

namespace holdfast::agent {
namespace {

using Chunks = std::unordered_set<ChunkId, IdHash<ChunkTag>>;

class Counter {
public:
    explicit Counter(vault::VaultReader& reader)
        : reader_(&reader), chunks_(reader.chunk_reader()) {}

    Result<void> add(const vault::SourceTree& tree) {
        for (const ChunkId& table : tree.refs_tables) {
            if (!seen_.insert(table).second) continue;
            const auto content = HF_TRY(chunks_->read(table));
            for (const ChunkId& leaf : HF_TRY(vault::parse_refs_table(*content))) {
                if (seen_.insert(leaf).second) HF_TRY(add_leaf(leaf));
            }
        }
        return {};
    }

    const SourceUsage& usage() const { return usage_; }

private:
    Result<void> add_leaf(const ChunkId& leaf) {
        return vault::visit_refs(
            leaf, *chunks_, [&](const ChunkId& chunk, vault::RefTo to) -> Result<void> {
                if (to == vault::RefTo::Part || !seen_.insert(chunk).second) return {};
                const vault::ChunkPlace place = HF_TRY(reader_->index().find(chunk));
                ++usage_.chunks;
                usage_.unique_bytes += place.content_bytes;
                usage_.stored_bytes += place.sealed_bytes;
                return {};
            });
    }

    vault::VaultReader* reader_;
    std::unique_ptr<vault::ChunkReader> chunks_;
    Chunks seen_;  // Tables, leaves, and content.
    SourceUsage usage_;
};

}  // namespace

Result<std::map<std::string, SourceUsage>> usage_by_source(
    vault::VaultReader& reader, const std::vector<vault::SnapshotRecord>& records,
    SourceUsageProgress& progress) {
    std::map<std::string, Counter> counters;
    for (const vault::SnapshotRecord& record : records) {
        if (progress.stop) return Error{Errc::Interrupted, "stopped"};
        const vault::Manifest manifest = HF_TRY(reader.manifest(record));
        for (const vault::SourceInfo& source : manifest.sources) {
            Counter& counter = counters.try_emplace(source.name, reader).first->second;
            HF_TRY(counter.add(source.tree).within(source.name));
        }
        ++progress.snapshots;
    }
    std::map<std::string, SourceUsage> out;
    for (const auto& [name, counter] : counters) out[name] = counter.usage();
    return out;
}

}  // namespace holdfast::agent
