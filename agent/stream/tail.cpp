#include "agent/stream/tail.h"

#include "agent/backup/source_copy.h"
#include "agent/source/postgres/layout.h"
#include "vault/base/fault.h"
#include "vault/base/json.h"
#include "vault/snapshot/tree_reader.h"

#include <algorithm>
#include <utility>

namespace holdfast::agent {
namespace {

constexpr std::uint32_t folder_mode = 0700;
constexpr std::uint32_t file_mode = 0600;

/// The newest tail of `base`; nothing: none yet.
const vault::SnapshotRecord* newest_tail(const vault::VaultReader& reader,
                                         const vault::SnapshotId& base) {
    const auto& all = reader.snapshots();
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
        if (at->tail_of == base) return &*at;
    }
    return nullptr;
}

}  // namespace

Result<void> Tail::begin(TailBase base) {
    const ClusterPlace place = HF_TRY(cluster_place(base, source_));
    if (place.system_id != from_.system_id || place.timeline != from_.timeline) {
        return Error{Errc::NotFound, "snapshot " + base.snapshot.brief() +
                                         " is of another cluster, or of another timeline of it"};
    }
    base_ = std::move(base);
    const std::uint64_t first = file_of(place.stop_lsn);
    files_.erase(files_.begin(), files_.lower_bound(first));
    if (!files_.empty() && files_.begin()->first == first) {
        committed_lsn_ =
            first * from_.segment_bytes;  // All that there is belongs to its first tail.
        return {};
    }
    files_.clear();
    next_lsn_ = committed_lsn_ = first * from_.segment_bytes;
    return {};
}

Result<void> Tail::resume(vault::Vault& vault) {
    HF_TRY(vault.reader().refresh());
    const vault::SnapshotRecord* const newest = newest_tail(vault.reader(), base_.snapshot);
    if (newest == nullptr) return {};
    const auto manifest = vault.reader().manifest(*newest);
    if (!manifest) return {};  // Locked or damaged: the log comes from the source again.
    const auto chunks = vault.reader().chunk_reader();
    for (const vault::SourceInfo& source : manifest->sources) {
        if (source.name != postgres::log_source_name(source_)) continue;
        const auto told = parse_json(source.facts);
        const auto tree = vault::TreeReader::open(source.tree, *chunks);
        if (!told || !tree) return {};
        const std::uint64_t to = count_in(*told, "to");
        std::map<std::uint64_t, LogFile> files;
        const auto walked = tree->walk([&](std::uint64_t, const vault::Item& item) -> Result<void> {
            if (item.entry.type != vault::FileType::Regular) return {};
            const std::uint64_t number =
                files.empty() ? file_of(next_lsn_) : files.rbegin()->first + 1;
            if (item.entry.path != name_of(number)) {
                return Error{Errc::Corrupt, "log " + item.entry.path + " is not the next"};
            }
            const std::uint64_t start = number * from_.segment_bytes;
            const std::uint64_t size = std::min(from_.segment_bytes, to - std::min(to, start));
            settle(files[number], size, HF_TRY(tree->extents(item)));
            return {};
        });
        if (!walked || files.empty()) return {};
        files_ = std::move(files);
        const auto& [number, last] = *files_.rbegin();
        next_lsn_ = committed_lsn_ = number * from_.segment_bytes + last.stored_bytes;
    }
    return {};
}

std::string Tail::name_of(std::uint64_t file) const {
    return postgres::wal_segment_name(from_.timeline, file * from_.segment_bytes,
                                      from_.segment_bytes);
}

void Tail::add(const postgres::LogBytes& bytes) {
    HF_ASSERT(bytes.lsn == next_lsn_);
    View left = bytes.bytes;
    while (!left.empty()) {
        const std::uint64_t in_file = next_lsn_ % from_.segment_bytes;
        const std::size_t part = static_cast<std::size_t>(
            std::min<std::uint64_t>(left.size(), from_.segment_bytes - in_file));
        Buffer& open = files_[file_of(next_lsn_)].open;
        open.insert(open.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(part));
        left = left.subspan(part);
        next_lsn_ += part;
    }
}

Result<vault::SnapshotRecord> Tail::commit(vault::Vault& vault, const SystemSettings& system,
                                           std::int64_t now_ms, unsigned workers) {
    const auto writing = HF_TRY(vault.begin_writing(system.name, mode_of(system)));
    const vault::SnapshotRecord base = HF_TRY(vault.reader().find(base_.snapshot));
    if (base.domain != writing.epoch.domain) {
        return Error{Errc::NotFound, "snapshot " + base.id.brief() + " is of another domain"};
    }
    vault::Manifest map = HF_TRY(vault.reader().map_part(base));
    const std::set<PackId> packs = HF_TRY(vault.reader().packs_of(base));
    if (map.sources.size() != base_.sources.size()) {
        return Error{Errc::NotFound, "snapshot " + base.id.brief() + " has other sources"};
    }
    vault::SnapshotWriter writer(vault.context(writing, workers));
    for (std::size_t i = 0; i < base_.sources.size(); ++i) {
        vault::SourceInfo source = base_.sources[i];
        source.tree = std::move(map.sources[i].tree);
        writer.adopt_source(std::move(source), packs);
    }
    writer.begin_source(postgres::log_source_name(source_), postgres::log_kind, "");
    const auto extents = HF_TRY(write_files(writer));
    HF_TRY(writer.end_source(facts()));
    vault::Manifest manifest;
    manifest.system = system.name;
    manifest.time = now_ms;
    manifest.program = program_name;
    manifest.plan = system.text;
    const vault::WrittenSnapshot written = HF_TRY(writer.finish(std::move(manifest)));
    fault_point("tail stored, no ledger entry yet");
    const vault::SnapshotRecord record =
        HF_TRY(vault.commit(writing, written, system.name, now_ms, 0, base_.snapshot));
    for (const auto& [number, of] : extents) {
        LogFile& file = files_.at(number);
        settle(file, file.size(), of);
    }
    committed_lsn_ = next_lsn_;
    return record;
}

/// The extents of each, whose new ones are known once the workers are done.
Result<std::map<std::uint64_t, vault::Extents>> Tail::write_files(vault::SnapshotWriter& writer) {
    std::map<std::uint64_t, vault::ContentWriter::Handle> handles;
    for (const auto& [number, file] : files_) {
        handles[number] = HF_TRY(writer.content().begin(vault::Cut::Fixed));
        HF_TRY(writer.content().known(file.stored));
        HF_TRY(writer.content().write(file.open));
        if (file.size() < from_.segment_bytes) {
            HF_TRY(writer.content().hole(from_.segment_bytes - file.size()));
        }
        HF_TRY(writer.content().end());
    }
    HF_TRY(writer.content().flush());
    vault::Entry root;
    root.type = vault::FileType::Directory;
    root.mode = folder_mode;
    HF_TRY(writer.add(root, {}));
    std::map<std::uint64_t, vault::Extents> all;
    for (const auto& [number, handle] : handles) {
        auto extents = writer.content().take(handle);
        HF_ASSERT(extents.has_value());
        vault::Entry entry;
        entry.path = name_of(number);
        entry.type = vault::FileType::Regular;
        entry.mode = file_mode;
        entry.size = from_.segment_bytes;
        HF_TRY(writer.add(entry, *extents));
        all[number] = std::move(*extents);
    }
    return all;
}

/// What of `extents` is whole pieces of the `size` bytes that came, or the whole file, need not be
/// written again, nor kept in memory.
void Tail::settle(LogFile& file, std::uint64_t size, const vault::Extents& extents) const {
    const std::uint64_t whole =
        size == from_.segment_bytes ? size : size - size % vault::fixed_piece_bytes;
    vault::Extents stored;
    std::uint64_t bytes = 0;
    for (const vault::Extent& one : extents) {
        if (bytes + one.length > whole) break;
        bytes += one.length;
        stored.push_back(one);
    }
    const std::uint64_t settled = bytes - std::min(bytes, file.stored_bytes);
    const auto rest =
        static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(settled, file.open.size()));
    file.open = Buffer(file.open.begin() + rest, file.open.end());
    file.stored = std::move(stored);
    file.stored_bytes = bytes;
}

std::string Tail::facts() const {
    return json_text(
        {{"of", source_},
         {"system_id", from_.system_id},
         {"timeline", from_.timeline},
         {"wal_segment_bytes", from_.segment_bytes},
         {"from", files_.empty() ? next_lsn_ : files_.begin()->first * from_.segment_bytes},
         {"to", next_lsn_}});
}

}  // namespace holdfast::agent
