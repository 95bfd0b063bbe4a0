// Extended attributes of a file: user.*, security.*, trusted.* (to root), and POSIX ACLs, which the
// kernel shows as system.posix_acl_access and system.posix_acl_default.
#pragma once

#include "vault/snapshot/entry.h"

#include <string>
#include <utility>
#include <vector>

namespace holdfast::agent::files {

using Xattrs = std::vector<std::pair<std::string, Buffer>>;

/// More than this on one file is left out: entries must fit into a metadata leaf. Linux allows
/// 64 KiB a value; real files have less than 1 KiB in all.
constexpr std::size_t xattrs_bytes_max = 512 << 10;

/// Reads them, sorted by name, into `out`. Answers what is missing and why, empty if nothing is.
std::string read_xattrs(int fd, Xattrs& out);
/// Those of `name` in the open folder, itself and not what it links to.
std::string read_xattrs(int folder, const char* name, Xattrs& out);

}  // namespace holdfast::agent::files
