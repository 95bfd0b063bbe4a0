// Snapshot writer: sources go in, packs and a manifest come out. What makes it a snapshot, the
// ledger entry, is written by the vault (vault.h).
//
//   for each source: begin_source, add…, end_source;   then finish
//
// Content goes through content(), whose extents the caller brings back with the entries. One
// thread.
#pragma once

#include "vault/snapshot/content_writer.h"
#include "vault/snapshot/index_chunk.h"
#include "vault/snapshot/tree_writer.h"

#include <set>

namespace holdfast::vault {

/// What a snapshot is written with; all outlive the writer.
struct SnapshotContext {
    Store& store;
    ChunkIndex& index;
    const KeySource& keys;  // For the directories of older packs.
    const Naming& naming;
    const Epoch& epoch;  // With both keys.
    Random& random;
    unsigned workers = 1;
    std::size_t uncovered_packs_max = uncovered_max;
};

struct WrittenSnapshot {
    PackId manifest_pack;
    ChunkId manifest_map;
    std::set<PackId> packs;      // All that the snapshot needs.
    std::set<PackId> new_packs;  // Those of them that were written for it.
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;         // Of all its files.
    std::uint64_t new_bytes = 0;     // Content that was not there before.
    std::uint64_t stored_bytes = 0;  // Of packs written for it.
};

class SnapshotWriter {
public:
    explicit SnapshotWriter(const SnapshotContext& context);
    /// What was claimed and not stored, since the snapshot failed, is free again.
    ~SnapshotWriter() { context_.index.drop_claims(); }
    SnapshotWriter(const SnapshotWriter&) = delete;
    SnapshotWriter& operator=(const SnapshotWriter&) = delete;

    ContentWriter& content() { return content_; }

    void begin_source(const std::string& name, const std::string& kind, const std::string& place);
    /// True if the vault has this chunk, whole as far as is known. Errors: Io.
    Result<bool> has(const ChunkId& chunk) const { return context_.index.is_sound(chunk); }
    /// Errors: Invalid (out of order), Full, Io.
    Result<void> add(const Entry& entry, Extents extents);
    /// As TreeWriter's. What an adopted leaf names must lie in packs told by rely_on().
    bool between_leaves() const { return tree_->between_leaves(); }
    Result<void> adopt_leaf(LeafInfo leaf) { return tree_->adopt(std::move(leaf)); }
    /// The snapshot needs these older packs, whatever is in them.
    void rely_on(const std::set<PackId>& packs) {
        for (const PackId& pack : packs) needs_.need_pack(pack);
    }
    /// `facts`: a JSON object in text. Errors: Full, Io.
    Result<void> end_source(const std::string& facts);

    /// A source as an older snapshot has it, which stands on `packs`.
    void adopt_source(SourceInfo source, const std::set<PackId>& packs);

    /// Stores all that is left. `manifest` gives system, time, program, plan and warnings.
    /// Errors: Full, Io, Unreachable; packs that were stored stay and are found by the next try.
    Result<WrittenSnapshot> finish(Manifest manifest);

private:
    Result<std::vector<IndexRef>> cover_packs();

    SnapshotContext context_;
    PackSink sink_;
    ContentWriter content_;
    ChunkStorer storer_;
    PackNeeds needs_;
    std::optional<TreeWriter> tree_;
    std::vector<SourceInfo> sources_;
};

}  // namespace holdfast::vault
