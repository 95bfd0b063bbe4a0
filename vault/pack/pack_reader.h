// Pack reader: opens a pack's directory, and single chunks.
//
// open_directory() authenticates the directory, so its list of chunks can be trusted; each chunk is
// authenticated as it is opened.
#pragma once

#include "vault/keys/segment.h"
#include "vault/pack/directory.h"
#include "vault/store/store.h"

#include <map>

namespace holdfast::vault {

/// Reads and opens the directory of pack `id`. Reads only the pack's end.
/// Errors: NotFound (no such pack, or its epoch), Locked, Corrupt, Io, Unreachable.
Result<Directory> open_directory(const Store& store, const PackId& id, const KeySource& keys);

/// Compares a whole pack with its name. Needs no key. Errors: NotFound, Corrupt, Io, Unreachable.
Result<void> check_pack(const Store& store, const PackId& id);

/// Opens sealed chunks; keeps a Sealer for each segment that it met. Belongs to one thread.
class ChunkOpener {
public:
    explicit ChunkOpener(const KeySource& keys) : keys_(&keys) {}

    /// Answers codec, filter and payload of chunk `number` of `segment`.
    /// Errors: Corrupt, Locked, NotFound (the epoch is unknown).
    Result<Buffer> open(const SegmentName& segment, std::uint64_t number, const ChunkId& id,
                        View sealed);

private:
    static constexpr std::size_t sealers_max = 256;
    const KeySource* keys_;
    std::map<SegmentName, Sealer> sealers_;
};

}  // namespace holdfast::vault
