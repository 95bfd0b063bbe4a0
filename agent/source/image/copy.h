// The image source: a disk becomes one file of the snapshot, cut into pieces of 64 KiB at fixed
// places, so that a changed sector costs its piece and no more.
//
// What reads as zeros becomes a hole, whether a file system or a server knew that or the bytes say
// so. What a dirty bitmap calls clean is taken from the snapshot before, unread. A disk that is
// written to while it is read is of no one moment: for files that is seen and becomes a warning;
// for devices and exports the hook (agent/source/hook) must hold them. Blocking.
#pragma once

#include "agent/source/sink.h"

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::agent::image {

constexpr std::uint64_t piece_bytes = 65'536;

struct ImageSettings {
    std::string place;  // A path, or a URI if `nbd`.
    bool nbd = false;
    std::string file;    // The name that the disk has in the snapshot.
    std::string bitmap;  // Of an NBD export: what it calls clean is as in the snapshot before.
};

struct ImageFacts {
    std::uint64_t bytes = 0;            // Of the disk.
    std::uint64_t read_bytes = 0;       // Read here.
    std::uint64_t hole_bytes = 0;       // Of the snapshot's file.
    std::uint64_t unchanged_bytes = 0;  // Taken from the snapshot before, unread.
    bool changed = false;               // A file that was written to meanwhile.
};

/// Told as the disk is gone through: bytes done, and of all. false: stop.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t all)>;

/// Errors: those of LocalDisk::open and NbdExport::open, Io, Unreachable, Corrupt, Interrupted,
/// those of the sink.
Result<ImageFacts> copy_image(const ImageSettings& settings, Sink& sink, const Progress& progress);

}  // namespace holdfast::agent::image
