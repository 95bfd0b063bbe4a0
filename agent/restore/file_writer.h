// File writer: makes regular files and fills them, with all workers.
//
// A file is one piece, or several of about piece_bytes_max, so that one large file keeps all
// workers busy. Small files that follow one another go into one batch for one worker: they lie in
// the same chunks, and that worker's reader decodes each once. The worker that finishes a file's
// last piece dresses it.
#pragma once

#include "agent/restore/dresser.h"
#include "agent/restore/folder_walk.h"
#include "vault/base/worker_pool.h"

#include <memory>
#include <mutex>
#include <optional>

namespace holdfast::agent {

constexpr std::uint64_t piece_bytes_max = 32_MiB;
constexpr std::uint64_t batch_bytes_max = 4_MiB;
constexpr std::size_t batch_pieces_max = 256;

class FileWriter {
public:
    /// `root` is the open target. All outlive the writer.
    FileWriter(int root, const ChunkReaderFactory& readers, const RestoreSettings& settings,
               Notices& notices);
    /// Drops what was not finished.
    ~FileWriter();
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;

    /// Takes a file whose folder is there. Damage to it is told to the notices. In a folder in use
    /// it takes the place of what has its name, when it is whole.
    /// Errors: what a worker met that concerns all: Full, Io (the target), Locked, Unreachable,
    /// Interrupted.
    Result<void> add(vault::Item item);
    /// Waits until all is written. Errors: as add().
    Result<void> finish();

    /// After finish().
    std::uint64_t files() const { return files_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    struct File {
        ~File();
        vault::Entry entry;
        std::string name;   // While it is written, in its folder.
        int root = -1;      // If it has another name then: where to remove it, should it not end.
        bool made = false;  // Before its pieces; else by its only one.
        std::atomic<bool> named{false};
        std::atomic<std::size_t> pieces_left{0};
        std::atomic<bool> damaged{false};
    };
    struct Piece {
        std::shared_ptr<File> file;  // Pieces of one file are in several batches; the last frees.
        std::uint64_t offset = 0;
        vault::Extents extents;
        std::optional<vault::ContentParts::Part> part;  // Instead of extents.
    };
    using Batch = std::vector<Piece>;
    struct Tools {
        std::unique_ptr<vault::ChunkReader> chunks;
        FolderWalk walk;
        Dresser dresser;
    };

    Result<void> add_pieces(const std::shared_ptr<File>& file, vault::ContentParts content);
    Result<void> push(Piece piece, std::uint64_t bytes);
    Result<void> submit();
    Result<void> trouble();

    // On a worker's thread.
    void work(Batch& batch, Tools& tools);
    Result<void> write_piece(Piece& piece, Tools& tools);
    Result<Fd> open(File& file, FolderWalk& walk);
    Result<void> write_extents(const Piece& piece, int fd, const vault::Extents& extents,
                               vault::ChunkReader& chunks);
    Result<void> write_extent(File& file, int fd, std::uint64_t at, const vault::Extent& extent,
                              vault::ChunkReader& chunks);
    Result<void> name(File& file, int fd, FolderWalk& walk);
    void damage(File& file, const std::string& what);
    bool stopped() const;

    int root_;
    const RestoreSettings* settings_;
    Notices* notices_;
    FolderWalk walk_;  // The caller's.
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
    Batch batch_;
    std::uint64_t batch_bytes_ = 0;

    std::mutex mutex_;
    std::optional<Error> error_;  // The first that concerns all.
    std::atomic<bool> failed_{false};
    std::vector<Tools> tools_;          // One a worker.
    std::unique_ptr<WorkerPool> pool_;  // Last: its threads end before what they use.
};

}  // namespace holdfast::agent
