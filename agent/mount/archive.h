// Archive: a read-only tree that is asked as it is looked at, and its mount. Nothing is walked
// before somebody opens a folder; so it may hold all snapshots of ten years.
#pragma once

#include "vault/base/bytes.h"

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent {

using ArchiveNode = std::uint64_t;
constexpr ArchiveNode archive_root = 1;

struct ArchiveEntry {
    std::string name;
    struct stat about;  // st_ino is the node.
};

/// Operations answer 0 or an errno value, which the kernel hands to the program. One thread.
class Archive {
public:
    virtual ~Archive() = default;

    /// Leaves a reference with the caller, which forget() returns.
    virtual int look_up(ArchiveNode folder, std::string_view name, struct stat* out) = 0;
    virtual void forget(ArchiveNode node, std::uint64_t references) = 0;
    virtual int attributes(ArchiveNode node, struct stat* out) = 0;
    /// Without "." and "..".
    virtual int list(ArchiveNode folder, std::vector<ArchiveEntry>* out) = 0;
    virtual int read_link(ArchiveNode node, std::string* out) = 0;
    /// Fills `out` from `offset`; `*filled` is less only at the end of the file.
    virtual int read(ArchiveNode node, std::uint64_t offset, std::span<std::uint8_t> out,
                     std::size_t* filled) = 0;
    virtual int get_xattr(ArchiveNode node, std::string_view name, Buffer* out) = 0;
    /// Names, each with a 0 behind it.
    virtual int list_xattrs(ArchiveNode node, std::string* out) = 0;
};

struct ArchiveMount {
    std::string folder;           // Must exist.
    std::string name;             // As shown by mount(8).
    std::function<void()> ready;  // Called when it is mounted. May be empty.
};

/// Blocks until the folder is unmounted or the process gets SIGTERM, SIGINT or SIGHUP. Only this
/// user sees what is in it. From the main thread. Errors: Denied (the kernel refuses), Invalid, Io.
Result<void> serve_archive(Archive& archive, const ArchiveMount& settings);

}  // namespace holdfast::agent
