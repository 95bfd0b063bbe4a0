// Source usage: what the content of each source takes, over many snapshots of one system.
#pragma once

#include "vault/vault_reader.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {

/// Each chunk once; one that two sources share counts for both.
struct SourceUsage {
    std::uint64_t chunks = 0;
    std::uint64_t unique_bytes = 0;  // Before compression.
    std::uint64_t stored_bytes = 0;  // As it lies in packs, without metadata and padding.
};

/// Shared with whoever watches.
struct SourceUsageProgress {
    std::atomic<std::uint64_t> snapshots{0};
    std::atomic<bool> stop{false};
};

/// By the source's name. Reads the refs of all snapshots, what they share once; content is not
/// read. Memory: 40 bytes for each chunk. Errors: those of VaultReader::manifest() (Locked),
/// Corrupt, Interrupted.
Result<std::map<std::string, SourceUsage>> usage_by_source(
    vault::VaultReader& reader, const std::vector<vault::SnapshotRecord>& records,
    SourceUsageProgress& progress);

}  // namespace holdfast::agent
