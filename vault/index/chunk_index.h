// Chunk index: where each chunk lies, in one SQLite file that can be rebuilt from the packs.
//
// A row is written only after its pack is durable. What the index lacks is learnt again from the
// packs on a snapshot's list; what it has too much (a vault that was put back to an older state) is
// noticed before a snapshot is committed. A chunk may lie in several packs, and each place is
// known. A pack that was found damaged or missing is marked bad, one that nothing needs any more is
// doomed (vault/prune/): what still opens in it may be read, but counts as absent for whoever
// writes, and so is stored anew. Sound is what is neither. claim() is the one question that workers
// ask at once, so it takes a lock; everything else too, for the same reason.
//
// Cost: one lookup is one B-tree descent, whatever the size; memory is SQLite's page cache, bounded
// by cache_bytes.
#pragma once

#include "vault/index/sqlite.h"
#include "vault/pack/directory.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_set>
#include <vector>

namespace holdfast::vault {

struct ChunkPlace {
    PackId pack;
    SegmentName segment;
    std::uint64_t number = 0;  // In its segment.
    std::uint64_t offset = 0;  // In the pack file.
    std::uint32_t sealed_bytes = 0;
    std::uint32_t content_bytes = 0;
};

/// What a pack holds of files' content, each chunk counted in the one pack where find() places it.
struct PackUsage {
    std::uint64_t stored_bytes = 0;  // The whole pack's length.
    std::uint64_t chunks = 0;
    std::uint64_t content_bytes = 0;  // Before compression.
};

class ChunkIndex {
public:
    static constexpr std::uint64_t cache_bytes = 32_MiB;

    /// Opens or makes the index at `path`; ":memory:" for a passing one. Errors: Full, Io, Corrupt.
    static Result<std::unique_ptr<ChunkIndex>> open(const std::string& path);

    /// Adds all chunks of a pack that is durable. A pack that is there stays. Errors: Full, Io.
    Result<void> add_pack(const PackId& pack, std::uint64_t length, const Directory& directory);
    /// Errors: Full, Io.
    Result<void> mark_bad(const PackId& pack);
    Result<void> mark_sound(const PackId& pack);
    /// When a pack was last found whole, by the wall clock: its bytes, or also (Opened) its
    /// content. 0: never, as far as is known here. Errors: Io.
    enum class Checked { Bytes, Opened };
    Result<std::int64_t> checked_ms(const PackId& pack, Checked how);
    /// Opened counts as Bytes too. Errors: Full, Io.
    Result<void> set_checked(const PackId& pack, Checked how, std::int64_t now_ms);
    Result<bool> has_pack(const PackId& pack);

    /// Marks packs doomed, those that are not yet, all with one new generation, which is answered;
    /// packs that are not known here are passed over. Errors: Full, Io.
    Result<std::uint64_t> doom(const std::vector<PackId>& packs);
    /// The newest generation of dooms; 0: none yet. Whoever asked this before anything else relies
    /// on no pack of it or an older one. Errors: Io.
    Result<std::uint64_t> doom_generation();
    /// The doomed packs with their generations. Errors: Io.
    Result<std::map<PackId, std::uint64_t>> doomed();
    /// Takes the marks back. Errors: Full, Io.
    Result<void> revive(const std::vector<PackId>& packs);
    /// Forgets packs that are gone from the vault. One pass over all chunks, about a second for
    /// three million. Errors: Full, Io.
    Result<void> remove_packs(const std::vector<PackId>& packs);

    /// The index chunk that covers `pack` in the vault (docs/vault-format.md, 9); zero if none
    /// does.
    Result<ChunkId> cover_of(const PackId& pack);
    Result<void> set_cover(const std::vector<PackId>& packs, const ChunkId& index_chunk);

    /// In a sound pack if there is one. Errors: NotFound (no pack known here has it), Io.
    Result<ChunkPlace> find(const ChunkId& id);

    /// All places of a chunk, or only the sound ones; those come first. Errors: Io.
    Result<std::vector<ChunkPlace>> places(const ChunkId& id);
    Result<std::vector<ChunkPlace>> sound_places(const ChunkId& id);

    /// How many sealed bytes of each pack known here are in chunks that `counts`. Reads the whole
    /// index, as usage() does; `counts` must not ask the index. Errors: Io.
    using Counts = std::function<bool(const ChunkId&, Kind, const PackId&)>;
    Result<std::map<PackId, std::uint64_t>> sealed_bytes(const Counts& counts);

    /// All segments of the packs known here: whose keys open them. Errors: Io.
    Result<std::vector<SegmentName>> segments();
    /// Only those with a chunk that `counts`, as for sealed_bytes(). Errors: Io.
    Result<std::vector<SegmentName>> segments(const Counts& counts);

    /// True if a sound pack has it. Errors: Io.
    Result<bool> is_sound(const ChunkId& id);

    /// True if all of these packs are known here and sound. Errors: Io.
    Result<bool> all_sound(const std::set<PackId>& packs);

    /// True for the one caller that shall store `id`; false if a sound pack or another caller has
    /// it. Errors: Io.
    Result<bool> claim(const ChunkId& id);
    /// Where it lies; none while the snapshot at work is to store it. One question, since a worker
    /// may store its pack between two. Errors: NotFound, Io.
    Result<std::optional<ChunkPlace>> find_unless_claimed(const ChunkId& id);
    /// Forgets all claims: a snapshot ended, well or not.
    void drop_claims();

    /// All packs known here. Reads the whole index: about a second for a million chunks.
    /// Errors: Io.
    Result<std::map<PackId, PackUsage>> usage();

    Result<std::uint64_t> packs();
    Result<std::uint64_t> chunks();

private:
    explicit ChunkIndex(Database db) : db_(std::move(db)) {}
    Result<void> prepare();
    Result<void> make_schema();
    Result<std::uint64_t> doom_generation_locked();
    Result<ChunkPlace> find_locked(const ChunkId& id);
    Result<bool> is_sound_locked(const ChunkId& id);
    Result<void> insert_pack(const PackId& pack, std::uint64_t length, const Directory& directory);
    Result<void> insert_segment(std::int64_t pack, const DirectorySegment& segment,
                                std::uint64_t& offset);

    std::mutex mutex_;
    Database db_;
    Statement find_, has_, insert_chunk_, insert_segment_, insert_pack_, find_pack_;
    std::unordered_set<ChunkId, IdHash<ChunkTag>> claimed_;
};

}  // namespace holdfast::vault
