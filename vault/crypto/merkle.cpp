#include "vault/crypto/merkle.h"

#include "vault/base/assert.h"
#include "vault/crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace holdfast::vault {

namespace {

Digest prefixed_hash(std::uint8_t prefix, View first, View second) {
    crypto_ready();  // Without it libsodium hashes at half the speed.
    Digest digest;
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, digest.digest.size());
    crypto_generichash_update(&state, &prefix, 1);
    crypto_generichash_update(&state, first.data(), first.size());
    crypto_generichash_update(&state, second.data(), second.size());
    crypto_generichash_final(&state, digest.digest.data(), digest.digest.size());
    return digest;
}

// The leaves of the left half of n > 1.
std::uint64_t left_size(std::uint64_t n) {
    return std::bit_floor(n - 1);
}

// Hands out a proof's hashes in turn; remembers if there were too few.
class ProofReader {
public:
    explicit ProofReader(std::span<const Digest> rest) : rest_(rest) {}
    Digest take() {
        if (rest_.empty()) {
            short_ = true;
            return {};
        }
        const Digest next = rest_.front();
        rest_ = rest_.subspan(1);
        return next;
    }
    bool used_up() const { return !short_ && rest_.empty(); }

private:
    std::span<const Digest> rest_;
    bool short_ = false;
};

struct Range {
    std::uint64_t first;
    std::uint64_t end;
    bool outside(std::uint64_t low, std::uint64_t high) const {
        return high <= first || end <= low;
    }
};

// Appends the subtrees of leaves[low, high) that lie outside `range`.
void prove(std::span<const Digest> leaves, std::uint64_t low, std::uint64_t high, Range range,
           MerkleProof& proof) {
    if (range.outside(low, high)) {
        proof.push_back(merkle_root(leaves.subspan(low, high - low)));
    } else if (high - low > 1) {
        const std::uint64_t middle = low + left_size(high - low);
        prove(leaves, low, middle, range, proof);
        prove(leaves, middle, high, range, proof);
    }
}

void spans(std::uint64_t low, std::uint64_t high, Range range, std::vector<MerkleSpan>& out) {
    if (range.outside(low, high)) {
        out.push_back({low, high - low});
    } else if (high - low > 1) {
        const std::uint64_t middle = low + left_size(high - low);
        spans(low, middle, range, out);
        spans(middle, high, range, out);
    }
}

// The root of [low, high), from the hashes in range and the proof. Its cost is bounded by the range
// and the tree's height, whatever the size claims.
Digest rebuild(std::uint64_t low, std::uint64_t high, Range range, std::span<const Digest> known,
               ProofReader& proof) {
    if (range.outside(low, high)) return proof.take();
    if (high - low == 1) return known[low - range.first];
    const std::uint64_t middle = low + left_size(high - low);
    const Digest left = rebuild(low, middle, range, known, proof);
    const Digest right = rebuild(middle, high, range, known, proof);
    return merkle_node_hash(left, right);
}

}  // namespace

Digest merkle_leaf_hash(View leaf) {
    return prefixed_hash(0x00, leaf, {});
}

Digest merkle_node_hash(const Digest& left, const Digest& right) {
    return prefixed_hash(0x01, left.view(), right.view());
}

Digest merkle_root(std::span<const Digest> leaves) {
    MerkleLog log;
    for (const Digest& leaf : leaves) log.append(leaf);
    return log.root();
}

Digest merkle_root_of_file(View file) {
    MerkleFile hasher;
    hasher.update(file);
    return hasher.root();
}

std::vector<Digest> merkle_leaves_of_file(View file) {
    std::vector<Digest> leaves;
    while (!file.empty()) {
        const View leaf = file.first(std::min(file.size(), merkle_leaf_bytes));
        leaves.push_back(merkle_leaf_hash(leaf));
        file = file.subspan(leaf.size());
    }
    return leaves;
}

Result<MerkleLog> MerkleLog::resume(std::uint64_t size, std::vector<Digest> peaks) {
    const auto wanted = static_cast<std::size_t>(std::popcount(size));
    if (peaks.size() != wanted) {
        return Error{Errc::Corrupt, "a tree of " + std::to_string(size) + " leaves has " +
                                        std::to_string(wanted) + " peaks, not " +
                                        std::to_string(peaks.size())};
    }
    MerkleLog log;
    log.size_ = size;
    log.peaks_ = std::move(peaks);
    return log;
}

void MerkleLog::append(const Digest& leaf_hash) {
    Digest peak = leaf_hash;
    for (std::uint64_t bits = size_; bits & 1; bits >>= 1) {
        peak = merkle_node_hash(peaks_.back(), peak);
        peaks_.pop_back();
    }
    peaks_.push_back(peak);
    ++size_;
}

Digest MerkleLog::root() const {
    if (peaks_.empty()) return {};
    Digest root = peaks_.back();
    for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) {
        root = merkle_node_hash(*peak, root);
    }
    return root;
}

void MerkleFile::update(View piece) {
    while (leaf_.size() + piece.size() >= merkle_leaf_bytes) {
        const View rest = piece.first(merkle_leaf_bytes - leaf_.size());
        log_.append(prefixed_hash(0x00, leaf_, rest));
        leaf_.clear();
        piece = piece.subspan(rest.size());
    }
    leaf_.insert(leaf_.end(), piece.begin(), piece.end());
}

Digest MerkleFile::root() const {
    if (leaf_.empty()) return log_.root();
    MerkleLog whole = log_;
    whole.append(merkle_leaf_hash(leaf_));
    return whole.root();
}

std::vector<MerkleSpan> range_proof_spans(std::uint64_t size, std::uint64_t first,
                                          std::uint64_t count) {
    HF_ASSERT(count > 0 && first < size && count <= size - first);
    std::vector<MerkleSpan> out;
    spans(0, size, {first, first + count}, out);
    return out;
}

MerkleProof prove_range(std::span<const Digest> leaves, std::uint64_t first, std::uint64_t count) {
    HF_ASSERT(count > 0 && first < leaves.size() && count <= leaves.size() - first);
    MerkleProof proof;
    prove(leaves, 0, leaves.size(), {first, first + count}, proof);
    return proof;
}

bool range_holds(const Digest& root, std::uint64_t size, std::uint64_t first,
                 std::span<const Digest> range, std::span<const Digest> proof) {
    if (range.empty() || first >= size || range.size() > size - first) return false;
    ProofReader reader(proof);
    const Digest rebuilt = rebuild(0, size, {first, first + range.size()}, range, reader);
    return reader.used_up() && rebuilt == root;
}

bool file_range_holds(const Digest& root, std::uint64_t file_length, std::uint64_t first_leaf,
                      View bytes, std::span<const Digest> proof) {
    const std::uint64_t size =
        file_length / merkle_leaf_bytes + (file_length % merkle_leaf_bytes != 0 ? 1 : 0);
    if (first_leaf >= size) return false;
    const std::uint64_t to_end = file_length - first_leaf * merkle_leaf_bytes;
    const bool whole_leaves = bytes.size() == to_end || bytes.size() % merkle_leaf_bytes == 0;
    if (bytes.size() > to_end || !whole_leaves) return false;
    return range_holds(root, size, first_leaf, merkle_leaves_of_file(bytes), proof);
}

}  // namespace holdfast::vault
