#include "vault/index/chunk_index.h"

namespace holdfast::vault {
namespace {

constexpr const char* schema = R"sql(
CREATE TABLE IF NOT EXISTS pack (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, length INTEGER NOT NULL,
    cover BLOB, bad INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS segment (
    number INTEGER PRIMARY KEY, pack INTEGER NOT NULL REFERENCES pack ON DELETE CASCADE,
    domain BLOB NOT NULL, epoch BLOB NOT NULL, salt BLOB NOT NULL,
    cipher INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS segment_by_pack ON segment (pack);
CREATE TABLE IF NOT EXISTS chunk (
    id BLOB PRIMARY KEY, segment INTEGER NOT NULL REFERENCES segment ON DELETE CASCADE,
    number INTEGER NOT NULL, place INTEGER NOT NULL, sealed INTEGER NOT NULL,
    content INTEGER NOT NULL) WITHOUT ROWID;
)sql";

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
    HF_TRY(db_.execute(schema));
    find_ = HF_TRY(db_.prepare(
        "SELECT c.number, c.place, c.sealed, c.content, s.domain, s.epoch, s.salt, s.cipher, "
        "s.kind,"
        " p.id FROM chunk c JOIN segment s ON s.number = c.segment JOIN pack p ON p.number = s.pack"
        " WHERE c.id = ?"));
    has_ = HF_TRY(
        db_.prepare("SELECT 1 FROM chunk c JOIN segment s ON s.number = c.segment JOIN pack p ON"
                    " p.number = s.pack WHERE c.id = ? AND p.bad = 0"));
    find_pack_ = HF_TRY(db_.prepare("SELECT number FROM pack WHERE id = ?"));
    insert_pack_ = HF_TRY(db_.prepare("INSERT INTO pack (id, length) VALUES (?, ?)"));
    insert_segment_ = HF_TRY(db_.prepare(
        "INSERT INTO segment (pack, domain, epoch, salt, cipher, kind) VALUES (?, ?, ?, ?, ?, ?)"));
    // Two snapshots may have stored one chunk at once, and either place serves; but one that was
    // stored again since its pack is bad must replace it.
    insert_chunk_ = HF_TRY(db_.prepare("INSERT OR REPLACE INTO chunk VALUES (?, ?, ?, ?, ?, ?)"));
    return {};
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
        insert_chunk_.bind(0, chunk.id.view()).bind(1, row).bind(2, number++).bind(3, offset);
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

Result<ChunkPlace> ChunkIndex::find_locked(const ChunkId& id) {
    if (!HF_TRY(find_.bind(0, id.view()).step())) {
        return Error{Errc::NotFound, "chunk " + id.brief() + " is in no pack known here"};
    }
    const ChunkPlace place = place_from(find_);
    find_.reset();
    return place;
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

Result<std::vector<SegmentName>> ChunkIndex::segments() {
    const std::lock_guard lock(mutex_);
    Statement query =
        HF_TRY(db_.prepare("SELECT DISTINCT domain, epoch, salt, cipher, kind FROM segment"));
    std::vector<SegmentName> out;
    while (HF_TRY(query.step())) out.push_back(segment_from(query, 0));
    return out;
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
    std::map<PackId, PackUsage> usage;
    std::map<std::int64_t, PackUsage*> by_number;
    Statement packs = HF_TRY(db_.prepare("SELECT number, id, length FROM pack"));
    while (HF_TRY(packs.step())) {
        ByteReader id(packs.blob(1));
        PackUsage& pack = usage[PackId::read(id)];
        pack.stored_bytes = packs.unsigned_integer(2);
        by_number[packs.integer(0)] = &pack;
    }
    Statement sums =
        HF_TRY(db_.prepare("SELECT s.pack, COUNT(*), SUM(c.content) FROM chunk c JOIN segment s"
                           " ON s.number = c.segment WHERE s.kind = ? GROUP BY s.pack"));
    sums.bind(0, static_cast<int>(Kind::Data));
    while (HF_TRY(sums.step())) {
        const auto pack = by_number.find(sums.integer(0));
        if (pack == by_number.end()) continue;  // Another process has added it meanwhile.
        pack->second->chunks = sums.unsigned_integer(1);
        pack->second->content_bytes = sums.unsigned_integer(2);
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
