// Snapshot record: what a ledger entry says of a snapshot (docs/vault-format.md, 11).
#pragma once

#include "vault/ledger/entry.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::vault {

struct SnapshotRecord {
    SnapshotId id;
    ChainId chain;
    std::uint64_t number = 0;
    ListId list;
    std::string system;
    std::int64_t time = 0;  // The moment that it holds, milliseconds.
    DomainId domain;
    PackId manifest_pack;
    ChunkId manifest_map;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t new_bytes = 0;
    std::uint64_t stored_bytes = 0;
    std::uint64_t warnings = 0;
    /// The snapshot that this one is with a newer log: it reads nothing else anew.
    std::optional<SnapshotId> tail_of;
};

/// The body's JSON; id, chain, number and list stand in the envelope.
std::string encode_snapshot_body(const SnapshotRecord& record);

/// Nothing if the body is of another type. Errors: Corrupt.
Result<std::optional<SnapshotRecord>> parse_snapshot_body(std::string_view json);

}  // namespace holdfast::vault
