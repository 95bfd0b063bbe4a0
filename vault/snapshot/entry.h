// Entry: what a snapshot knows of one path, beside its content. (docs/vault-format.md, "Entries")
#pragma once

#include "vault/base/bytes.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t path_bytes_max = 4096;
constexpr std::size_t xattr_bytes_max = 64 << 10;
constexpr std::size_t xattrs_max = 1024;

/// The byte that stands for the type in the metadata stream.
enum class FileType : std::uint8_t {
    Regular = 'f',
    Directory = 'd',
    Symlink = 'l',
    Fifo = 'p',
    Socket = 's',
    CharDevice = 'c',
    BlockDevice = 'b',
};

struct Entry {
    std::string path;  // Relative to the source; bytes, '/' between names; empty for the root.
    FileType type = FileType::Regular;
    std::uint32_t mode = 0;  // The twelve permission bits.
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;    // With inode: how the next snapshot sees an unchanged file.
    std::uint64_t inode = 0;      // Of the source; 0 where there is none.
    std::uint64_t size = 0;       // Regular: bytes, holes included.
    std::uint64_t device = 0;     // Char and block devices: makedev() number.
    std::uint64_t hard_link = 0;  // Not 0: every entry of the source with this number is one file;
                                  // the first in path order carries the content.
    std::string user;             // Names of uid and gid where the source knew them.
    std::string group;
    std::string link_target;  // Symlinks.
    std::vector<std::pair<std::string, Buffer>>
        xattrs;  // Sorted by name; POSIX ACLs are among them.

    friend bool operator==(const Entry&, const Entry&) = default;
};

/// Path order: names compare byte by byte, and a folder comes right before what is in it; so '/'
/// sorts below every other byte. Negative, zero or positive, as memcmp.
int compare_paths(std::string_view a, std::string_view b);

}  // namespace holdfast::vault
