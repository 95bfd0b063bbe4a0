// Mend pack: makes a damaged pack whole with as few bytes from elsewhere as can be.
//
// A leaf that comes with its proof brings the hashes of all the subtrees beside it. Those that
// agree with our own bytes are whole; the others are looked into by their first leaf. So a pack of
// 256 leaves with one bad byte takes about nine leaves, not 256. Whatever comes is checked against
// the pack's name first.
#pragma once

#include "vault/base/result.h"
#include "vault/crypto/merkle.h"
#include "vault/store/store.h"

#include <functional>

namespace holdfast::vault {

/// One leaf of a pack, checked against the pack's name by whoever gives it.
struct ProvenLeaf {
    std::uint64_t pack_length = 0;
    Buffer bytes;
    MerkleProof proof;
};

/// Errors: NotFound (the place has no such pack), Corrupt (what it gives is not that pack's),
/// Unreachable, Io.
using FetchLeaf = std::function<Result<ProvenLeaf>(std::uint64_t leaf)>;

struct MendedPack {
    Buffer file;
    std::uint64_t leaves = 0;  // That were fetched.
};

/// `damaged` is what is left of the pack; empty if nothing is. Errors: those of `fetch`.
Result<MendedPack> mend_pack(const PackId& pack, Buffer damaged, const FetchLeaf& fetch);

}  // namespace holdfast::vault
