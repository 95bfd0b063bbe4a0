#include "agent/restore/file_writer.h"

#include "vault/base/damage.h"
#include "vault/base/fault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace holdfast::agent {
namespace {

/// Nothing that is wrong with one file: the next would fail too.
bool concerns_all(int error) {
    return error == ENOSPC || error == EDQUOT || error == EIO || error == EROFS ||
           error == EMFILE || error == ENFILE || error == ENOMEM;
}

/// Damage to one file, as a Result that the caller turns into a notice.
Error only_this(const std::string& what, int error) {
    return {Errc::Invalid, what + ": " + std::strerror(error)};
}

Result<void> put(int fd, View data, std::uint64_t at, const std::string& path) {
    while (!data.empty()) {
        const ssize_t count = pwrite(fd, data.data(), data.size(), static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EFBIG) return only_this("it is too large for this disk", errno);
        if (count < 0) return io_error(errno, "write " + path);
        data = data.subspan(static_cast<std::size_t>(count));
        at += static_cast<std::uint64_t>(count);
    }
    return {};
}

/// Errors: Corrupt (the content does not cover the file).
Result<void> check_content(const vault::ContentParts& content, std::uint64_t size) {
    if (content.parts.empty()) return vault::check_covers(content.extents, size);
    std::uint64_t sum = 0;
    for (const auto& part : content.parts) {
        if (part.bytes > size - sum) return Error{Errc::Corrupt, "its parts exceed it"};
        sum += part.bytes;
    }
    return sum == size ? Result<void>() : Error{Errc::Corrupt, "its parts do not cover it"};
}

}  // namespace

FileWriter::FileWriter(int root, const ChunkReaderFactory& readers, const RestoreSettings& settings,
                       Notices& notices)
    : root_(root), settings_(&settings), notices_(&notices), walk_(root) {
    const unsigned workers = settings.workers == 0 ? default_workers() : settings.workers;
    for (unsigned i = 0; i < workers; ++i) {
        tools_.push_back({readers(), FolderWalk(root), Dresser(settings.owners, notices)});
    }
    pool_ = std::make_unique<WorkerPool>(workers, workers);
}

FileWriter::~FileWriter() {
    failed_ = true;  // Batches still queued end at once.
}

/// What did not come to its end is not left behind under a name of its own.
FileWriter::File::~File() {
    if (root < 0 || named) return;
    FolderWalk walk(root);
    const int folder = walk.enter(folder_of(entry.path));
    if (folder >= 0) (void)unlinkat(folder, name.c_str(), 0);
}

Result<void> FileWriter::add(vault::Item item) {
    auto file = std::make_shared<File>();
    file->entry = std::move(item.entry);
    file->name = name_of(file->entry.path);
    if (settings_->overwrite != Overwrite::Refuse) {
        file->name = unfinished_name(file->name);
        file->root = root_;
    }
    ++files_;
    bytes_ += file->entry.size;
    if (auto sound = check_content(item.content, file->entry.size); !sound) {
        damage(*file, "it cannot be restored: " + sound.error().message);
        return trouble();
    }
    const bool one = item.content.parts.empty() && file->entry.size <= piece_bytes_max;
    if (!one) {
        const auto made = open(*file, walk_);
        if (!made && made.error().code != Errc::Invalid) return made.error();
        if (!made) {
            damage(*file, made.error().message);
            return trouble();
        }
        file->made = true;
    }
    return add_pieces(file, std::move(item.content));
}

Result<void> FileWriter::add_pieces(const std::shared_ptr<File>& file,
                                    vault::ContentParts content) {
    std::vector<Piece> pieces;
    std::uint64_t offset = 0;
    for (const auto& part : content.parts) {
        pieces.push_back({file, offset, {}, part});
        offset += part.bytes;
    }
    if (pieces.empty()) pieces.push_back({file, 0, {}, {}});
    std::uint64_t filled = 0;
    for (const vault::Extent& extent : content.extents) {
        if (filled != 0 && filled + extent.length > piece_bytes_max) {
            pieces.push_back({file, offset, {}, {}});
            filled = 0;
        }
        pieces.back().extents.push_back(extent);
        filled += extent.length;
        offset += extent.length;
    }
    // A file that one worker makes as it fills it has one piece.
    HF_ASSERT(file->made || pieces.size() == 1);
    file->pieces_left = pieces.size();
    const std::uint64_t each = file->entry.size / pieces.size();
    for (Piece& piece : pieces) HF_TRY(push(std::move(piece), each));
    return trouble();
}

Result<void> FileWriter::push(Piece piece, std::uint64_t bytes) {
    batch_.push_back(std::move(piece));
    batch_bytes_ += bytes;
    if (batch_bytes_ < batch_bytes_max && batch_.size() < batch_pieces_max) return {};
    return submit();
}

Result<void> FileWriter::submit() {
    HF_TRY(trouble());
    batch_bytes_ = 0;
    if (batch_.empty()) return {};
    auto moved = std::make_shared<Batch>(std::exchange(batch_, {}));  // std::function copies.
    pool_->submit([this, moved](unsigned worker) { work(*moved, tools_[worker]); });
    return {};
}

Result<void> FileWriter::finish() {
    HF_TRY(submit());
    pool_->drain();
    return trouble();
}

Result<void> FileWriter::trouble() {
    if (failed_) {
        const std::lock_guard lock(mutex_);
        if (error_) return *error_;
    }
    if (stopped()) return Error{Errc::Interrupted, "stopped"};
    return {};
}

bool FileWriter::stopped() const {
    return failed_ || (settings_->progress != nullptr && settings_->progress->stop);
}

void FileWriter::damage(File& file, const std::string& what) {
    if (!file.damaged.exchange(true)) notices_->damaged(file.entry.path, what);
}

void FileWriter::work(Batch& batch, Tools& tools) {
    for (Piece& piece : batch) {
        if (stopped()) return;
        auto written = write_piece(piece, tools);
        if (written) continue;
        if (written.error().code == Errc::Invalid) {
            damage(*piece.file, written.error().message);
            continue;
        }
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::move(written).error();
        failed_ = true;
    }
}

/// Errors: Invalid (only this file cannot be written), else what concerns all.
Result<void> FileWriter::write_piece(Piece& piece, Tools& tools) {
    File& file = *piece.file;
    const Fd fd = HF_TRY(open(file, tools.walk));
    if (piece.part) {
        const auto chunk = tools.chunks->read(piece.part->chunk);
        Result<void> sound = chunk ? Result<void>() : Result<void>(chunk.error());
        if (chunk) {
            ByteReader in(**chunk);
            auto extents = vault::parse_extents(in);
            sound = extents ? vault::check_covers(*extents, piece.part->bytes) : extents.error();
            if (sound) HF_TRY(write_extents(piece, fd.get(), *extents, *tools.chunks));
        }
        if (!sound && !is_damage(sound.error())) return sound;
        if (!sound) {
            damage(file, std::to_string(piece.part->bytes) + " bytes from byte " +
                             std::to_string(piece.offset) +
                             " on are missing: " + sound.error().message);
        }
    } else {
        HF_TRY(write_extents(piece, fd.get(), piece.extents, *tools.chunks));
    }
    if (--file.pieces_left != 0) return {};
    fault_point("file restored, without its attributes");
    tools.dresser.dress(fd.get(), file.entry);
    return file.root < 0 ? Result<void>() : name(file, fd.get(), tools.walk);
}

/// A whole file takes its name, in place of what has it; a damaged one only a name that is free.
Result<void> FileWriter::name(File& file, int fd, FolderWalk& walk) {
    const std::string& path = file.entry.path;
    const std::string wanted = name_of(path);
    const int folder = walk.enter(folder_of(path));
    if (folder < 0) return only_this("its folder is gone", errno);
    struct stat about {};
    const bool there = fstatat(folder, wanted.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && file.damaged) return {};  // The notice is given; what is there stays.
    // Else a loss of power might leave neither the old content nor the new.
    if (there && fdatasync(fd) != 0) return io_error(errno, "sync " + path);
    fault_point("file restored, under another name");
    if (renameat(folder, file.name.c_str(), folder, wanted.c_str()) != 0) {
        return concerns_all(errno) ? io_error(errno, "name " + path)
                                   : only_this("it cannot take its name", errno);
    }
    file.named = true;
    return {};
}

/// Opens the file, or makes it with its size, all hole. Errors: as write_piece().
Result<Fd> FileWriter::open(File& file, FolderWalk& walk) {
    const std::string& path = file.entry.path;
    const int folder = walk.enter(folder_of(path));
    const int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (file.made ? 0 : O_CREAT | O_EXCL);
    // A restore that was killed may have left one of that name.
    if (folder >= 0 && file.root >= 0 && !file.made) (void)unlinkat(folder, file.name.c_str(), 0);
    Fd fd(folder < 0 ? -1 : openat(folder, file.name.c_str(), flags, 0600));
    int failed = fd ? 0 : errno;
    if (fd && !file.made && file.entry.size != 0 &&
        ftruncate(fd.get(), static_cast<off_t>(file.entry.size)) != 0) {
        failed = errno;
    }
    if (failed == 0) return fd;
    if (concerns_all(failed)) return io_error(failed, "make " + path);
    return only_this("it cannot be made", failed);
}

Result<void> FileWriter::write_extents(const Piece& piece, int fd, const vault::Extents& extents,
                                       vault::ChunkReader& chunks) {
    std::uint64_t at = piece.offset;
    for (const vault::Extent& extent : extents) {
        if (stopped()) return trouble();
        if (!extent.hole()) HF_TRY(write_extent(*piece.file, fd, at, extent, chunks));
        at += extent.length;
        if (settings_->progress != nullptr) settings_->progress->bytes += extent.length;
    }
    return {};
}

Result<void> FileWriter::write_extent(File& file, int fd, std::uint64_t at,
                                      const vault::Extent& extent, vault::ChunkReader& chunks) {
    const auto chunk = chunks.read(extent.chunk);
    if (!chunk && !is_damage(chunk.error())) return chunk.error();
    std::string why;
    if (!chunk) {
        why = chunk.error().message;
    } else if (extent.skip + extent.length > (*chunk)->size()) {
        why = "the chunk " + extent.chunk.brief() + " is shorter than the snapshot says";
    } else {
        return put(fd, View(**chunk).subspan(extent.skip, extent.length), at, file.entry.path);
    }
    damage(file, std::to_string(extent.length) + " bytes from byte " + std::to_string(at) +
                     " on are missing: " + why);
    return {};
}

}  // namespace holdfast::agent
