#include "vault/repair/mend_pack.h"

#include "vault/pack/pack_writer.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

class Mending {
public:
    Mending(const PackId& pack, Buffer damaged, const FetchLeaf& fetch)
        : pack_(pack), fetch_(&fetch) {
        mended_.file = std::move(damaged);
    }

    Result<MendedPack> run() {
        ProvenLeaf first = HF_TRY((*fetch_)(0));
        if (first.pack_length < pack_bytes_min || first.pack_length > pack_bytes_max) {
            return Error{Errc::Corrupt,
                         "no pack has " + std::to_string(first.pack_length) + " bytes"};
        }
        mended_.file.resize(first.pack_length);  // What was cut off is zeros until it is mended.
        leaves_ = merkle_leaves_of_file(mended_.file);
        HF_TRY(take(0, first));
        HF_TRY(look_beside(0, {0, leaves_.size()}, first.proof));
        if (pack_id_of(mended_.file) == pack_) return std::move(mended_);
        return Error{Errc::Corrupt, "what was fetched does not make the pack whole"};
    }

private:
    Result<void> take(std::uint64_t leaf, const ProvenLeaf& proven) {
        const std::uint64_t at = leaf * merkle_leaf_bytes;
        const std::uint64_t bytes =
            std::min<std::uint64_t>(merkle_leaf_bytes, mended_.file.size() - at);
        if (proven.bytes.size() != bytes || proven.pack_length != mended_.file.size()) {
            return Error{Errc::Corrupt, "a leaf of another length than the pack has"};
        }
        std::copy(proven.bytes.begin(), proven.bytes.end(),
                  mended_.file.begin() + static_cast<std::ptrdiff_t>(at));
        leaves_[leaf] = merkle_leaf_hash(proven.bytes);
        ++mended_.leaves;
        return {};
    }

    /// `leaf` was taken, and `proof` is its own: looks into each subtree within `within` that is
    /// not ours.
    Result<void> look_beside(std::uint64_t leaf, MerkleSpan within, const MerkleProof& proof) {
        const auto spans = range_proof_spans(leaves_.size(), leaf, 1);
        if (spans.size() != proof.size()) {
            return Error{Errc::Corrupt, "a proof of another tree"};
        }
        for (std::size_t i = 0; i < spans.size(); ++i) {
            const MerkleSpan span = spans[i];
            const bool is_within = span.first >= within.first && span.end() <= within.end();
            if (!is_within) continue;
            const auto ours = std::span(leaves_).subspan(span.first, span.count);
            if (merkle_root(ours) == proof[i]) continue;
            const ProvenLeaf next = HF_TRY((*fetch_)(span.first));
            HF_TRY(take(span.first, next));
            HF_TRY(look_beside(span.first, span, next.proof));
        }
        return {};
    }

    PackId pack_;
    const FetchLeaf* fetch_;
    MendedPack mended_;
    std::vector<Digest> leaves_;  // Of mended_.file.
};

}  // namespace

Result<MendedPack> mend_pack(const PackId& pack, Buffer damaged, const FetchLeaf& fetch) {
    return Mending(pack, std::move(damaged), fetch).run();
}

}  // namespace holdfast::vault
