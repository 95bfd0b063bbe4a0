// Vault reader: a trust's snapshots, from any store that holds its objects: its own vault, a
// tenancy at a host, or a partner over the link.
//
// It trusts the roster it was given and nothing else: entries are checked against the roster, lists
// against entries, packs against lists, chunks by their keys. One thread, but for ChunkReaders.
#pragma once

#include "vault/ledger/ledger.h"
#include "vault/ledger/standing.h"
#include "vault/snapshot/chunk_reader.h"
#include "vault/snapshot/manifest.h"
#include "vault/snapshot/snapshot_record.h"
#include "vault/snapshot/tree_reader.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast::vault {

/// The roster that a store holds for `trust`: the end of a valid chain. Errors: as newest_roster(),
/// Io, Unreachable.
Result<Roster> read_roster(const Store& store, const TrustId& trust);

/// What was found wrong, and where.
struct Damage {
    std::string object;  // Its name in the store.
    std::string what;
};

class VaultReader {
public:
    /// All outlive the reader.
    VaultReader(Store& store, ChunkIndex& index, const KeySource& keys, const Roster& roster)
        : store_(&store), index_(&index), keys_(&keys), ledger_(store, roster) {}

    /// Reads new ledger entries; those that do not hold become notes. Errors: Io, Unreachable.
    Result<void> refresh();

    /// What was wrong with what was read so far: verify() reports it.
    std::vector<Damage> notes() const;
    /// Of these, the chains that break, and entries that another chain says are missing: snapshots
    /// that are not known.
    std::vector<Damage> ledger_gaps() const;
    void note(Damage damage) { notes_.push_back(std::move(damage)); }

    Ledger& ledger() { return ledger_; }
    Store& store() const { return *store_; }
    ChunkIndex& index() const { return *index_; }
    const KeySource& keys() const { return *keys_; }

    /// All snapshots that could be read, by time; within a chain by number, since a clock may jump.
    /// Those that were forgotten are left out. Entries whose body is sealed for other eyes (a
    /// release opens one snapshot) are left out.
    const std::vector<SnapshotRecord>& snapshots() const { return snapshots_; }

    /// Which snapshots were forgotten, and which stand on other lists than their entries'.
    const Standing& standing() const { return standing_; }

    /// By the beginning of its id, at least 4 digits. Errors: NotFound, Invalid (ambiguous).
    Result<SnapshotRecord> find(std::string_view id_prefix) const;
    /// Errors: NotFound.
    Result<SnapshotRecord> find(const SnapshotId& id) const;
    /// The newest of a system. Errors: NotFound.
    Result<SnapshotRecord> latest(std::string_view system) const;

    /// The packs on a snapshot's list. Errors: NotFound, Corrupt, Io, Unreachable.
    Result<std::set<PackId>> packs_of(const SnapshotRecord& record) const;

    /// Reads the manifest's map part, having learnt the directories of all packs on the list.
    /// Errors: as manifest(), but for the content's keys.
    Result<Manifest> map_part(const SnapshotRecord& record);
    /// Reads the manifest, both parts, having learnt the directories of all packs on the list.
    /// Errors: NotFound (a pack is missing), Corrupt, Locked, Io, Unreachable.
    Result<Manifest> manifest(const SnapshotRecord& record);

    /// A reader of its own for each thread.
    std::unique_ptr<ChunkReader> chunk_reader(std::size_t cache_bytes = 16_MiB) const {
        return std::make_unique<ChunkReader>(*store_, *index_, *keys_, cache_bytes);
    }

private:
    void read_entry(const LedgerEntry& entry);
    void read_open(const LedgerEntry& entry, std::string_view body);
    std::string missing_of(const ChainHead& head) const;
    void place_snapshots(std::size_t from);
    bool is_last_of_all();
    void sort_snapshots();

    Store* store_;
    ChunkIndex* index_;
    const KeySource* keys_;
    Ledger ledger_;
    std::uint64_t generation_ = 0;         // Of the ledger.
    std::map<ChainId, std::size_t> read_;  // Entries of each chain that snapshots_ reflects.
    std::vector<SnapshotRecord> snapshots_;
    std::int64_t latest_ms_ = 0;  // That a snapshot claims.
    Standing standing_;
    std::vector<Damage> notes_;  // By others.
    std::vector<Damage> ledger_notes_;
    std::vector<std::pair<ChainId, ChainHead>> continued_;  // What a chain says of the one before.
};

}  // namespace holdfast::vault
