#include "agent/source/image/copy.h"

#include "agent/source/image/local_disk.h"
#include "agent/source/image/nbd_export.h"
#include "agent/source/made_entry.h"
#include "vault/base/clock.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace holdfast::agent::image {
namespace {

constexpr std::uint64_t piece_mask = piece_bytes - 1;
/// What is read where the snapshot before lacks something, before it is asked again.
constexpr std::uint64_t missing_bytes = 16 << 20;

bool all_zero(View bytes) {
    return bytes.empty() ||
           (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Goes through one disk. Everything that reaches the sink starts and ends between two pieces (or
/// at the disk's end): so pieces lie at the same places in every snapshot.
class Copier {
public:
    Copier(Input& input, const std::string& file, Sink& sink, const Progress& progress)
        : input_(input), file_(file), sink_(sink), progress_(progress) {
        facts_.bytes = input.bytes();
    }

    Result<ImageFacts> run() {
        std::uint64_t at = 0;
        while (at < facts_.bytes) {
            const Region region = HF_TRY(whole_pieces(at));
            HF_TRY(tell(at));
            if (region.kind == Region::Kind::Zeros) {
                hole(region.length);
                at += region.length;
                continue;
            }
            std::uint64_t same = 0;
            if (region.kind == Region::Kind::Unchanged) same = HF_TRY(reuse(at, region.length));
            at += same;
            if (same == region.length) continue;
            const std::uint64_t rest = region.length - same;
            const std::uint64_t part = same == 0 && region.kind == Region::Kind::Data
                                           ? rest
                                           : std::min(rest, missing_bytes);
            HF_TRY(copy(at, part));
            at += part;
        }
        HF_TRY(end_hole());
        HF_TRY(tell(at));
        return facts_;
    }

private:
    /// What is known of the pieces from `at` on; a piece of two kinds is data.
    Result<Region> whole_pieces(std::uint64_t at) {
        Region region = HF_TRY(input_.region(at));
        std::uint64_t end = at + region.length;
        if (end == facts_.bytes) return region;
        if ((end & ~piece_mask) > at) {
            end &= ~piece_mask;
        } else {
            end = std::min((at | piece_mask) + 1, facts_.bytes);
            region.kind = Region::Kind::Data;
        }
        region.length = end - at;
        return region;
    }

    Result<void> tell(std::uint64_t done) {
        if (!progress_(done, facts_.bytes)) return Error{Errc::Interrupted, "stopped"};
        return {};
    }

    void hole(std::uint64_t length) {
        hole_ += length;
        facts_.hole_bytes += length;
    }

    Result<void> end_hole() {
        if (hole_ != 0) HF_TRY(sink_.hole(hole_));
        hole_ = 0;
        return {};
    }

    /// How many bytes from `at` on the snapshot before gave: whole pieces, or all.
    Result<std::uint64_t> reuse(std::uint64_t at, std::uint64_t length) {
        HF_TRY(end_hole());
        const std::uint64_t same = HF_TRY(sink_.same_range(file_, at, length));
        facts_.unchanged_bytes += same;
        return same;
    }

    Result<void> copy(std::uint64_t at, std::uint64_t length) {
        std::uint64_t done = at;
        HF_TRY(input_.read(at, length, [&](View bytes) -> Result<void> {
            facts_.read_bytes += bytes.size();
            done += bytes.size();
            HF_TRY(cut(bytes));
            return tell(done);
        }));
        HF_TRY(put(piece_));
        piece_.clear();
        return {};
    }

    /// Hands on whole pieces; keeps what is not one yet.
    Result<void> cut(View bytes) {
        while (!bytes.empty()) {
            const std::size_t lacking = piece_bytes - piece_.size();
            const View part = bytes.first(std::min(bytes.size(), lacking));
            bytes = bytes.subspan(part.size());
            if (part.size() == piece_bytes) {
                HF_TRY(put(part));
                continue;
            }
            piece_.insert(piece_.end(), part.begin(), part.end());
            if (piece_.size() < piece_bytes) continue;
            HF_TRY(put(piece_));
            piece_.clear();
        }
        return {};
    }

    Result<void> put(View piece) {
        if (piece.empty()) return {};
        if (all_zero(piece)) {
            hole(piece.size());
            return {};
        }
        HF_TRY(end_hole());
        return sink_.write(piece);
    }

    Input& input_;
    const std::string& file_;
    Sink& sink_;
    const Progress& progress_;
    ImageFacts facts_;
    Buffer piece_;            // The begin of a piece.
    std::uint64_t hole_ = 0;  // Not given to the sink yet.
};

Result<ImageFacts> copy_input(Input& input, vault::Entry entry, Sink& sink,
                              const Progress& progress) {
    const ContentHandle content = HF_TRY(sink.begin_content(Shape::Pages));
    auto copied = Copier(input, entry.path, sink, progress).run();
    if (!copied) {
        sink.drop_content();
        return copied;
    }
    HF_TRY(sink.end_content());
    entry.size = copied->bytes;
    HF_TRY(sink.add(std::move(entry), copied->bytes == 0 ? 0 : content));
    return copied;
}

Result<ImageFacts> copy_local(const ImageSettings& settings, Sink& sink, const Progress& progress) {
    LocalDisk disk = HF_TRY(LocalDisk::open(settings.place));
    vault::Entry entry =
        made_entry(settings.file, vault::FileType::Regular, 0600, system_clock().wall_ms());
    if (disk.is_file()) {
        files::Owners owners;
        files::fill(entry, disk.status(), owners);
        entry.hard_link = 0;
        if (HF_TRY(sink.add_unchanged(entry))) {
            ImageFacts facts;
            facts.bytes = facts.unchanged_bytes = entry.size;
            return facts;
        }
    }
    ImageFacts facts = HF_TRY(copy_input(disk, std::move(entry), sink, progress));
    facts.changed = HF_TRY(disk.changed());
    if (facts.changed) {
        sink.warn({settings.file,
                   "it was written to while it was read, so it is not of one moment; let begin "
                   "hold it, or read it through an NBD server"});
    }
    return facts;
}

}  // namespace

Result<ImageFacts> copy_image(const ImageSettings& settings, Sink& sink, const Progress& progress) {
    const auto folder = made_entry("", vault::FileType::Directory, 0700, system_clock().wall_ms());
    if (!settings.nbd) {
        if (!settings.bitmap.empty()) {
            return Error{Errc::Invalid,
                         "only an NBD export has a dirty bitmap; " + settings.place + " is none"};
        }
        HF_TRY(sink.add(folder, 0));
        return copy_local(settings, sink, progress);
    }
    NbdExport disk = HF_TRY(NbdExport::open(settings.place, settings.bitmap));
    HF_TRY(sink.add(folder, 0));
    return copy_input(
        disk, made_entry(settings.file, vault::FileType::Regular, 0600, system_clock().wall_ms()),
        sink, progress);
}

}  // namespace holdfast::agent::image
