// Mount order: all that a holdfast-mount process is told, once, on its standard input.
//
//   order := "HFMOUNT1"  store: text  index: text  snapshot: id  name: text  folder: text
//            overlay: text  status: text  owner: u8 (0 | 1 uid: u32 gid: u32)
//            meta tables: varint id*  refs tables: varint id*  entries: varint  bytes: varint
//            keys: u32 length, then SegmentKeys
//
// The keys come last and in locked memory on both sides; the rest is no secret.
#pragma once

#include "agent/attach/segment_keys.h"
#include "vault/snapshot/snapshot_record.h"
#include "vault/snapshot/tree_writer.h"

#include <optional>
#include <string>

namespace holdfast::agent {

constexpr std::size_t mount_order_bytes_max = 256_MiB;

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct MountOrder {
    std::string store;  // The folder of a vault's objects.
    std::string index;  // A chunk index that knows all packs of the snapshot.
    vault::SnapshotId snapshot;
    std::string name;            // As shown by mount(8): "epr/database".
    std::string folder;          // Where to mount; exists.
    std::string overlay;         // Empty: read-only.
    std::string status;          // The status file.
    std::optional<Owner> owner;  // Whom all is shown to belong to; none: as in the snapshot.
    vault::SourceTree tree;
};

vault::Secret encode_mount_order(const MountOrder& order, const SegmentKeys& keys);

struct ParsedMountOrder {
    MountOrder order;
    SegmentKeys keys;
};
/// Errors: Corrupt.
Result<ParsedMountOrder> parse_mount_order(View bytes);

}  // namespace holdfast::agent
