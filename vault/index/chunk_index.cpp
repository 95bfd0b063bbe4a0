#include "vault/index/chunk_index.h"

#include <set>
#include <utility>

namespace holdfast::vault {
namespace {

/// Another number than the file's: the file is begun anew.
constexpr std::int64_t schema_version = 3;

/// A chunk has a row for each pack that holds it. `chunk.segment` is no REFERENCES: with foreign
/// keys on, each segment that is deleted would cost a scan of all chunks.
constexpr const char* schema = R"sql(
CREATE TABLE IF NOT EXISTS pack (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, length INTEGER NOT NULL,
    cover BLOB, bad INTEGER NOT NULL DEFAULT 0, doomed INTEGER NOT NULL DEFAULT 0,
    checked INTEGER NOT NULL DEFAULT 0, opened INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS segment (
    number INTEGER PRIMARY KEY, pack INTEGER NOT NULL REFERENCES pack ON DELETE CASCADE,
    domain BLOB NOT NULL, epoch BLOB NOT NULL, salt BLOB NOT NULL,
    cipher INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS segment_by_pack ON segment (pack);
CREATE TABLE IF NOT EXISTS chunk (
    id BLOB NOT NULL, segment INTEGER NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL,
    sealed INTEGER NOT NULL, content INTEGER NOT NULL,
    PRIMARY KEY (id, segment)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doom (generation INTEGER NOT NULL);
INSERT INTO doom SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM doom);
)sql";

constexpr const char* drop_all = R"sql(
DROP TABLE IF EXISTS chunk; DROP TABLE IF EXISTS segment; DROP TABLE IF EXISTS pack;
DROP TABLE IF EXISTS doom;
)sql";

constexpr const char* places_of_chunk =
    "SELECT c.number, c.place, c.sealed, c.content, s.domain, s.epoch, s.salt, s.cipher, s.kind,"
    " p.id, p.bad OR p.doomed FROM chunk c JOIN segment s ON s.number = c.segment"
    " JOIN pack p ON p.number = s.pack WHERE c.id = ?";
constexpr int unsound_column = 10;

/// From the columns domain, epoch, salt, cipher, kind, of which `at` is the first.
SegmentName segment_from(const Statement& row, int at) {
    SegmentName segment;
    ByteReader domain(row.blob(at));
    ByteReader epoch(row.blob(at + 1));
    segment.domain = DomainId::read(domain);
    segment.epoch = EpochId::read(epoch);
    const View salt = row.blob(at + 2);
    std::copy_n(salt.begin(), std::min(salt.size(), segment.salt.size()), segment.salt.begin());
    segment.cipher = static_cast<Cipher>(row.integer(at + 3));
    segment.kind = static_cast<Kind>(row.integer(at + 4));
    return segment;
}

ChunkPlace place_from(const Statement& row) {
    ChunkPlace place;
    place.number = row.unsigned_integer(0);
    place.offset = row.unsigned_integer(1);
    place.sealed_bytes = static_cast<std::uint32_t>(row.integer(2));
    place.content_bytes = static_cast<std::uint32_t>(row.integer(3));
    place.segment = segment_from(row, 4);
    ByteReader pack(row.blob(9));
    place.pack = PackId::read(pack);
    return place;
}

}  // namespace

Result<std::unique_ptr<ChunkIndex>> ChunkIndex::open(const std::string& path) {
    auto db = HF_TRY(Database::open(path, Durability::Cache));
    std::unique_ptr<ChunkIndex> index(new ChunkIndex(std::move(db)));
    HF_TRY(index->prepare());
    return index;
}

Result<void> ChunkIndex::prepare() {
    HF_TRY(db_.execute("PRAGMA cache_size = -" + std::to_string(cache_bytes >> 10)));
    HF_TRY(make_schema());
    find_ = HF_TRY(db_.prepare(places_of_chunk));
    has_ = HF_TRY(
        db_.prepare("SELECT 1 FROM chunk c JOIN segment s ON s.number = c.segment JOIN pack p ON"
                    " p.number = s.pack WHERE c.id = ? AND p.bad = 0 AND p.doomed = 0"));
    find_pack_ = HF_TRY(db_.prepare("SELECT number FROM pack WHERE id = ?"));
    insert_pack_ = HF_TRY(db_.prepare("INSERT INTO pack (id, length) VALUES (?, ?)"));
    insert_segment_ = HF_TRY(db_.prepare(
        "INSERT INTO segment (pack, domain, epoch, salt, cipher, kind) VALUES (?, ?, ?, ?, ?, ?)"));
    insert_chunk_ = HF_TRY(db_.prepare("INSERT OR IGNORE INTO chunk VALUES (?, ?, ?, ?, ?, ?)"));
    return {};
}

/// In one transaction, since another process may be opening the same file.
Result<void> ChunkIndex::make_schema() {
    const auto version = [&]() -> Result<std::int64_t> {
        Statement ask = HF_TRY(db_.prepare("PRAGMA user_version"));
        HF_TRY(ask.step());
        return ask.integer(0);
    };
    if (HF_TRY(version()) == schema_version) return {};
    return db_.transaction([&]() -> Result<void> {
        if (HF_TRY(version()) == schema_version) return {};
        HF_TRY(db_.execute(drop_all));
        HF_TRY(db_.execute(schema));
        return db_.execute("PRAGMA user_version = " + std::to_string(schema_version));
    });
}

Result<void> ChunkIndex::insert_segment(std::int64_t pack, const DirectorySegment& segment,
                                        std::uint64_t& offset) {
    const SegmentName& name = segment.name;
    insert_segment_.bind(0, pack).bind(1, name.domain.view()).bind(2, name.epoch.view());
    insert_segment_.bind(3, View(name.salt)).bind(4, static_cast<int>(name.cipher));
    HF_TRY(insert_segment_.bind(5, static_cast<int>(name.kind)).run());
    const std::int64_t row = db_.last_row();
    std::uint64_t number = 0;
    for (const DirectoryChunk& chunk : segment.chunks) {
        const std::uint64_t at = std::exchange(number, number + chunk.numbers());
        if (chunk.is_gap()) continue;
        insert_chunk_.bind(0, chunk.id.view()).bind(1, row).bind(2, at).bind(3, offset);
        insert_chunk_.bind(4, std::int64_t{chunk.sealed_bytes});
        HF_TRY(insert_chunk_.bind(5, std::int64_t{chunk.content_bytes}).run());
        offset += chunk.sealed_bytes;
    }
    return {};
}

Result<void> ChunkIndex::add_pack(const PackId& pack, std::uint64_t length,
                                  const Directory& directory) {
    const std::lock_guard lock(mutex_);
    HF_TRY(insert_pack(pack, length, directory));
    for (const DirectorySegment& segment : directory.segments) {
        for (const DirectoryChunk& chunk : segment.chunks) claimed_.erase(chunk.id);
    }
    return {};
}

Result<void> ChunkIndex::insert_pack(const PackId& pack, std::uint64_t length,
                                     const Directory& directory) {
    return db_.transaction([&]() -> Result<void> {
        const bool there = HF_TRY(find_pack_.bind(0, pack.view()).step());
        find_pack_.reset();
        if (there) return {};
        HF_TRY(insert_pack_.bind(0, pack.view()).bind(1, length).run());
        const std::int64_t row = db_.last_row();
        std::uint64_t offset = pack_header_bytes;
        for (const DirectorySegment& segment : directory.segments) {
            HF_TRY(insert_segment(row, segment, offset));
        }
        return {};
    });
}

Result<void> ChunkIndex::mark_bad(const PackId& pack) {
    const std::lock_guard lock(mutex_);
    Statement mark = HF_TRY(db_.prepare("UPDATE pack SET bad = 1 WHERE id = ?"));
    return mark.bind(0, pack.view()).run();
}

Result<std::uint64_t> ChunkIndex::doom(const std::vector<PackId>& packs) {
    const std::lock_guard lock(mutex_);
    std::uint64_t generation = 0;
    HF_TRY(db_.transaction([&]() -> Result<void> {
        HF_TRY(db_.execute("UPDATE doom SET generation = generation + 1"));
        generation = HF_TRY(doom_generation_locked());
        Statement mark =
            HF_TRY(db_.prepare("UPDATE pack SET doomed = ? WHERE id = ? AND doomed = 0"));
        for (const PackId& pack : packs) {
            HF_TRY(mark.bind(0, generation).bind(1, pack.view()).run());
        }
        return {};
    }));
    // What is erased next must not be sound again after a loss of power.
    HF_TRY(db_.execute("PRAGMA wal_checkpoint(PASSIVE)"));
    return generation;
}

Result<std::uint64_t> ChunkIndex::doom_generation() {
    const std::lock_guard lock(mutex_);
    return doom_generation_locked();
}

Result<std::uint64_t> ChunkIndex::doom_generation_locked() {
    Statement ask = HF_TRY(db_.prepare("SELECT generation FROM doom"));
    HF_TRY(ask.step());
    return ask.unsigned_integer(0);
}

Result<std::map<PackId, std::uint64_t>> ChunkIndex::doomed() {
    const std::lock_guard lock(mutex_);
    Statement ask = HF_TRY(db_.prepare("SELECT id, doomed FROM pack WHERE doomed != 0"));
    std::map<PackId, std::uint64_t> out;
    while (HF_TRY(ask.step())) {
        out.emplace(HF_TRY(PackId::from(ask.blob(0))), ask.unsigned_integer(1));
    }
    return out;
}

Result<void> ChunkIndex::revive(const std::vector<PackId>& packs) {
    const std::lock_guard lock(mutex_);
    Statement mark = HF_TRY(db_.prepare("UPDATE pack SET doomed = 0 WHERE id = ?"));
    return db_.transaction([&]() -> Result<void> {
        for (const PackId& pack : packs) HF_TRY(mark.bind(0, pack.view()).run());
        return {};
    });
}

Result<void> ChunkIndex::remove_packs(const std::vector<PackId>& packs) {
    if (packs.empty()) return {};
    const std::lock_guard lock(mutex_);
    HF_TRY(db_.execute("CREATE TEMP TABLE IF NOT EXISTS gone (id BLOB PRIMARY KEY)"));
    Statement note = HF_TRY(db_.prepare("INSERT OR IGNORE INTO gone VALUES (?)"));
    return db_.transaction([&]() -> Result<void> {
        for (const PackId& pack : packs) HF_TRY(note.bind(0, pack.view()).run());
        HF_TRY(
            db_.execute("DELETE FROM chunk WHERE segment IN (SELECT s.number FROM segment s"
                        " JOIN pack p ON p.number = s.pack WHERE p.id IN (SELECT id FROM gone));"
                        "DELETE FROM pack WHERE id IN (SELECT id FROM gone);"
                        "DELETE FROM gone;"));
        return {};
    });
}

Result<void> ChunkIndex::mark_sound(const PackId& pack) {
    const std::lock_guard lock(mutex_);
    Statement mark = HF_TRY(db_.prepare("UPDATE pack SET bad = 0 WHERE id = ?"));
    return mark.bind(0, pack.view()).run();
}

Result<std::int64_t> ChunkIndex::checked_ms(const PackId& pack, Checked how) {
    const std::lock_guard lock(mutex_);
    Statement ask =
        HF_TRY(db_.prepare(how == Checked::Opened ? "SELECT opened FROM pack WHERE id = ?"
                                                  : "SELECT checked FROM pack WHERE id = ?"));
    if (!HF_TRY(ask.bind(0, pack.view()).step())) return std::int64_t{0};
    return ask.integer(0);
}

Result<void> ChunkIndex::set_checked(const PackId& pack, Checked how, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    Statement mark = HF_TRY(db_.prepare(
        how == Checked::Opened ? "UPDATE pack SET checked = ?1, opened = ?1 WHERE id = ?2"
                               : "UPDATE pack SET checked = ?1 WHERE id = ?2"));
    return mark.bind(0, now_ms).bind(1, pack.view()).run();
}

Result<bool> ChunkIndex::all_sound(const std::set<PackId>& packs) {
    const std::lock_guard lock(mutex_);
    Statement ask =
        HF_TRY(db_.prepare("SELECT 1 FROM pack WHERE id = ? AND bad = 0 AND doomed = 0"));
    for (const PackId& pack : packs) {
        if (!HF_TRY(ask.bind(0, pack.view()).step())) return false;
        ask.reset();
    }
    return true;
}

Result<bool> ChunkIndex::is_sound(const ChunkId& id) {
    const std::lock_guard lock(mutex_);
    return is_sound_locked(id);
}

Result<bool> ChunkIndex::is_sound_locked(const ChunkId& id) {
    const bool there = HF_TRY(has_.bind(0, id.view()).step());
    has_.reset();
    return there;
}

Result<bool> ChunkIndex::has_pack(const PackId& pack) {
    const std::lock_guard lock(mutex_);
    const bool there = HF_TRY(find_pack_.bind(0, pack.view()).step());
    find_pack_.reset();
    return there;
}

Result<ChunkId> ChunkIndex::cover_of(const PackId& pack) {
    const std::lock_guard lock(mutex_);
    Statement query = HF_TRY(db_.prepare("SELECT cover FROM pack WHERE id = ?"));
    if (!HF_TRY(query.bind(0, pack.view()).step()) || query.is_null(0)) return ChunkId{};
    return ChunkId::from(query.blob(0));
}

Result<void> ChunkIndex::set_cover(const std::vector<PackId>& packs, const ChunkId& index_chunk) {
    const std::lock_guard lock(mutex_);
    Statement update = HF_TRY(db_.prepare("UPDATE pack SET cover = ? WHERE id = ?"));
    return db_.transaction([&]() -> Result<void> {
        for (const PackId& pack : packs) {
            HF_TRY(update.bind(0, index_chunk.view()).bind(1, pack.view()).run());
        }
        return {};
    });
}

/// The first sound place, else any.
Result<ChunkPlace> ChunkIndex::find_locked(const ChunkId& id) {
    std::optional<ChunkPlace> unsound;
    find_.bind(0, id.view());
    while (HF_TRY(find_.step())) {
        if (find_.integer(unsound_column) == 0) {
            const ChunkPlace place = place_from(find_);
            find_.reset();
            return place;
        }
        unsound = place_from(find_);
    }
    if (unsound) return *unsound;
    return Error{Errc::NotFound, "chunk " + id.brief() + " is in no pack known here"};
}

Result<ChunkPlace> ChunkIndex::find(const ChunkId& id) {
    const std::lock_guard lock(mutex_);
    return find_locked(id);
}

Result<std::optional<ChunkPlace>> ChunkIndex::find_unless_claimed(const ChunkId& id) {
    const std::lock_guard lock(mutex_);
    if (claimed_.contains(id)) return std::optional<ChunkPlace>{};
    return std::optional<ChunkPlace>(HF_TRY(find_locked(id)));
}

Result<std::vector<ChunkPlace>> ChunkIndex::places(const ChunkId& id) {
    std::vector<ChunkPlace> sound = HF_TRY(sound_places(id));
    const std::lock_guard lock(mutex_);
    find_.bind(0, id.view());
    while (HF_TRY(find_.step())) {
        if (find_.integer(unsound_column) != 0) sound.push_back(place_from(find_));
    }
    return sound;
}

Result<std::vector<ChunkPlace>> ChunkIndex::sound_places(const ChunkId& id) {
    const std::lock_guard lock(mutex_);
    std::vector<ChunkPlace> places;
    find_.bind(0, id.view());
    while (HF_TRY(find_.step())) {
        if (find_.integer(unsound_column) == 0) places.push_back(place_from(find_));
    }
    return places;
}

Result<std::map<PackId, std::uint64_t>> ChunkIndex::sealed_bytes(const Counts& counts) {
    const std::lock_guard lock(mutex_);
    std::map<std::int64_t, std::pair<PackId, std::uint64_t>> by_number;
    Statement packs = HF_TRY(db_.prepare("SELECT number, id FROM pack"));
    while (HF_TRY(packs.step())) {
        by_number[packs.integer(0)] = {HF_TRY(PackId::from(packs.blob(1))), 0};
    }
    Statement places =
        HF_TRY(db_.prepare("SELECT c.id, s.pack, s.kind, c.sealed FROM chunk c CROSS JOIN segment s"
                           " ON s.number = c.segment"));
    while (HF_TRY(places.step())) {
        const auto pack = by_number.find(places.integer(1));
        if (pack == by_number.end()) continue;  // Another process has added it meanwhile.
        const ChunkId id = HF_TRY(ChunkId::from(places.blob(0)));
        const auto kind = static_cast<Kind>(places.integer(2));
        auto& [name, bytes] = pack->second;
        if (counts(id, kind, name)) bytes += places.unsigned_integer(3);
    }
    std::map<PackId, std::uint64_t> out;
    for (const auto& [number, sum] : by_number) out.insert(sum);
    return out;
}

Result<std::vector<SegmentName>> ChunkIndex::segments() {
    const std::lock_guard lock(mutex_);
    Statement query =
        HF_TRY(db_.prepare("SELECT DISTINCT domain, epoch, salt, cipher, kind FROM segment"));
    std::vector<SegmentName> out;
    while (HF_TRY(query.step())) out.push_back(segment_from(query, 0));
    return out;
}

Result<std::vector<SegmentName>> ChunkIndex::segments(const Counts& counts) {
    const std::lock_guard lock(mutex_);
    struct Known {
        SegmentName name;
        PackId pack;
        bool counted = false;
    };
    std::map<std::int64_t, Known> known;
    Statement query =
        HF_TRY(db_.prepare("SELECT s.domain, s.epoch, s.salt, s.cipher, s.kind, s.number, p.id"
                           " FROM segment s JOIN pack p ON p.number = s.pack"));
    while (HF_TRY(query.step())) {
        const PackId pack = HF_TRY(PackId::from(query.blob(6)));
        known.emplace(query.integer(5), Known{segment_from(query, 0), pack});
    }
    Statement chunks = HF_TRY(db_.prepare("SELECT id, segment FROM chunk"));
    while (HF_TRY(chunks.step())) {
        const auto at = known.find(chunks.integer(1));
        if (at == known.end() || at->second.counted) continue;
        const ChunkId id = HF_TRY(ChunkId::from(chunks.blob(0)));
        at->second.counted = counts(id, at->second.name.kind, at->second.pack);
    }
    std::set<SegmentName> out;
    for (const auto& [number, one] : known) {
        if (one.counted) out.insert(one.name);
    }
    return std::vector<SegmentName>(out.begin(), out.end());
}

Result<bool> ChunkIndex::claim(const ChunkId& id) {
    const std::lock_guard lock(mutex_);
    if (claimed_.contains(id)) return false;
    if (HF_TRY(is_sound_locked(id))) return false;
    claimed_.insert(id);
    return true;
}

void ChunkIndex::drop_claims() {
    const std::lock_guard lock(mutex_);
    claimed_.clear();
}

Result<std::map<PackId, PackUsage>> ChunkIndex::usage() {
    const std::lock_guard lock(mutex_);
    struct Row {
        PackUsage* usage = nullptr;
        bool sound = false;
    };
    std::map<PackId, PackUsage> usage;
    std::map<std::int64_t, Row> by_number;
    Statement packs = HF_TRY(db_.prepare("SELECT number, id, length, bad OR doomed FROM pack"));
    while (HF_TRY(packs.step())) {
        PackUsage& pack = usage[HF_TRY(PackId::from(packs.blob(1)))];
        pack.stored_bytes = packs.unsigned_integer(2);
        by_number[packs.integer(0)] = {&pack, packs.integer(3) == 0};
    }
    // The places of one chunk come one after the other, as find() sees them.
    Statement places =
        HF_TRY(db_.prepare("SELECT c.id, s.pack, c.content FROM chunk c CROSS JOIN segment s"
                           " ON s.number = c.segment WHERE s.kind = ? ORDER BY c.id, c.segment"));
    places.bind(0, static_cast<int>(Kind::Data));
    ChunkId last;
    const Row* counted = nullptr;  // Where `last` was counted.
    std::uint64_t bytes = 0;
    while (HF_TRY(places.step())) {
        const auto pack = by_number.find(places.integer(1));
        if (pack == by_number.end()) continue;  // Another process has added it meanwhile.
        const ChunkId id = HF_TRY(ChunkId::from(places.blob(0)));
        const bool same = counted != nullptr && id == last;
        if (same && (counted->sound || !pack->second.sound)) continue;
        if (same) {
            --counted->usage->chunks;
            counted->usage->content_bytes -= bytes;
        }
        last = id;
        counted = &pack->second;
        bytes = places.unsigned_integer(2);
        ++counted->usage->chunks;
        counted->usage->content_bytes += bytes;
    }
    return usage;
}

Result<std::uint64_t> ChunkIndex::packs() {
    const std::lock_guard lock(mutex_);
    Statement count = HF_TRY(db_.prepare("SELECT count(*) FROM pack"));
    HF_TRY(count.step());
    return count.unsigned_integer(0);
}

Result<std::uint64_t> ChunkIndex::chunks() {
    const std::lock_guard lock(mutex_);
    Statement count = HF_TRY(db_.prepare("SELECT count(*) FROM chunk"));
    HF_TRY(count.step());
    return count.unsigned_integer(0);
}

}  // namespace holdfast::vault
