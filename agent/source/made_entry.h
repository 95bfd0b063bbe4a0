// Entries of what no file system described: a program's output, a disk of another machine.
#pragma once

#include "vault/snapshot/entry.h"

#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>

namespace holdfast::agent {

/// Belongs to who takes the snapshot, and is of `now_ms`.
inline vault::Entry made_entry(std::string path, vault::FileType type, std::uint32_t mode,
                               std::int64_t now_ms) {
    vault::Entry entry;
    entry.path = std::move(path);
    entry.type = type;
    entry.mode = mode;
    entry.uid = ::getuid();
    entry.gid = ::getgid();
    entry.mtime_ns = now_ms * 1'000'000;
    entry.ctime_ns = entry.mtime_ns;
    return entry;
}

}  // namespace holdfast::agent
