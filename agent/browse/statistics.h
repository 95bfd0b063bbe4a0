// Statistics: how much there is, how much of it is different, and what it takes on disk.
#pragma once

#include "agent/browse/source_usage.h"
#include "vault/vault_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

/// Sizes in bytes. Logical: as a restore would write it. Unique: files' content, each chunk once,
/// before compression. Stored: whole packs, with metadata and padding.
struct Amount {
    std::uint64_t snapshots = 0;
    std::uint64_t logical_bytes = 0;  // Of all snapshots together.
    std::uint64_t unique_bytes = 0;
    std::uint64_t stored_bytes = 0;
    std::uint64_t packs = 0;
};

struct SystemStatistics {
    struct Source {
        std::string name;
        std::uint64_t entries = 0;
        std::uint64_t logical_bytes = 0;
        std::optional<SourceUsage> usage;  // Of all snapshots, if it was asked for.
    };
    std::string system;
    Amount amount;
    std::int64_t oldest_ms = 0;
    std::int64_t newest_ms = 0;
    bool locked = false;  // The newest one's sources are not known here without its opening key.
    std::vector<Source> sources;  // Of the newest snapshot.
};

struct Statistics {
    std::vector<SystemStatistics> systems;  // By name.
    Amount all;                             // Packs that several systems use, once.
};

/// Of all systems, or of `system` alone if it is not empty; `by_source`, may be null: with the
/// sources' usage too. Errors: NotFound (no snapshot of it), those of VaultReader::packs_of() and
/// manifest(), and of usage_by_source() but Locked.
Result<Statistics> statistics(vault::VaultReader& reader, const std::string& system,
                              SourceUsageProgress* by_source = nullptr);

}  // namespace holdfast::agent
