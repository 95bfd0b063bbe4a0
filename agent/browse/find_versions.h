// Find versions: in which snapshots paths are that match, and how often they changed.
//
// A leaf of metadata that snapshots share is read once. Memory: the matches, and 100 bytes a leaf.
#pragma once

#include "vault/base/glob.h"
#include "vault/vault_reader.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::agent {

/// One path as it stood in one or more snapshots of a system: same type, size and time.
struct Version {
    vault::Entry entry;
    std::string path;  // As people write it, below the source's name where there are several.
    vault::SnapshotRecord newest;
    vault::SnapshotRecord oldest;
    std::uint64_t snapshots = 0;
};

struct Found {
    std::vector<Version> versions;
    std::uint64_t locked_snapshots = 0;  // Not looked into: their domain is not open here.
};

/// Versions of all paths in `records` (by time, as VaultReader has them) that match one of
/// `patterns`; by system, path, and age, newest first. Errors: those of SnapshotTrees::open() and
/// TreeReader::leaf().
Result<Found> find_versions(vault::VaultReader& reader,
                            const std::vector<vault::SnapshotRecord>& records,
                            const std::vector<Glob>& patterns);

}  // namespace holdfast::agent
