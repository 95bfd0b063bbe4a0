// FuseOperations: the kernel's requests, translated to calls of FileSystem and back.
#pragma once

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 12)
#include <fuse3/fuse_lowlevel.h>

#include "agent/mount/file_system.h"
#include "agent/mount/open_folders.h"

namespace holdfast::agent {

/// The largest read or write the kernel sends at once: 256 pages, its own limit.
constexpr std::size_t request_bytes_max = 1 << 20;

using Names = std::vector<std::pair<std::string, NodeId>>;

/// What the operations of one mount act on.
struct MountedFiles {
    FileSystem& files;
    OpenFolders<Names> open_folders;
};

/// To be given to fuse_session_new() with a MountedFiles* as its user data.
const fuse_lowlevel_ops& fuse_operations();

}  // namespace holdfast::agent
