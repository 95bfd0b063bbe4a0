#include "vault/crypto/merkle.h"

#include <catch2/catch.hpp>

#include <sodium.h>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

std::vector<Digest> some_leaves(std::size_t n) {
    std::vector<Digest> leaves;
    for (std::size_t i = 0; i < n; ++i) {
        leaves.push_back(merkle_leaf_hash(as_view("leaf " + std::to_string(i))));
    }
    return leaves;
}

// The definition, word by word.
Digest defined_root(std::span<const Digest> leaves) {
    if (leaves.empty()) return {};
    if (leaves.size() == 1) return leaves[0];
    std::size_t left = 1;
    while (left * 2 < leaves.size()) left *= 2;
    return merkle_node_hash(defined_root(leaves.first(left)), defined_root(leaves.subspan(left)));
}

Digest plain_blake2b(const Buffer& message) {
    Digest digest;
    crypto_generichash(digest.digest.data(), 32, message.data(), message.size(), nullptr, 0);
    return digest;
}

Digest flipped(Digest digest, std::size_t bit) {
    digest.digest[bit / 8 % 32] ^= static_cast<std::uint8_t>(1U << bit % 8);
    return digest;
}

constexpr std::size_t leaves_most = 70;

}  // namespace

TEST_CASE("leaf and node hashes are those of the format", "[vault][crypto]") {
    CHECK(merkle_leaf_hash(Buffer{1, 2}) == plain_blake2b({0, 1, 2}));
    const Digest a = merkle_leaf_hash(Buffer{1});
    const Digest b = merkle_leaf_hash(Buffer{2});
    Buffer node{1};
    ByteWriter(node).bytes(a.view());
    ByteWriter(node).bytes(b.view());
    CHECK(merkle_node_hash(a, b) == plain_blake2b(node));
}

TEST_CASE("a growing log has the defined root at every size", "[vault][crypto]") {
    const auto leaves = some_leaves(leaves_most);
    MerkleLog log;
    for (std::size_t n = 0; n <= leaves_most; ++n) {
        CHECK(log.size() == n);
        CHECK(log.root() == defined_root(std::span(leaves).first(n)));
        if (n < leaves_most) log.append(leaves[n]);
    }
}

TEST_CASE("a file has one root, however it comes in pieces", "[vault][crypto]") {
    for (const std::size_t length : {0UL, 1UL, 65535UL, 65536UL, 65537UL, 200000UL, 262144UL}) {
        Buffer file(length);
        for (std::size_t i = 0; i < length; ++i) file[i] = static_cast<std::uint8_t>(i * i / 7);
        const Digest root = defined_root(merkle_leaves_of_file(file));
        CHECK(merkle_root_of_file(file) == root);
        for (const std::size_t piece : {1000UL, 65536UL, 100001UL}) {
            MerkleFile hasher;
            for (std::size_t at = 0; at < length; at += piece) {
                hasher.update(View(file).subspan(at, std::min(piece, length - at)));
            }
            CHECK(hasher.root() == root);
        }
    }
    CHECK(merkle_root_of_file({}).zero());
}

TEST_CASE("every range of every tree is proved", "[vault][crypto]") {
    const auto leaves = some_leaves(leaves_most);
    for (std::size_t n = 1; n <= leaves_most; ++n) {
        const auto tree = std::span(leaves).first(n);
        const Digest root = merkle_root(tree);
        for (std::size_t first = 0; first < n; ++first) {
            for (std::size_t count = 1; first + count <= n; count = count * 2 + 1) {
                const auto range = tree.subspan(first, count);
                const auto proof = prove_range(tree, first, count);
                REQUIRE(proof.size() <= merkle_proof_max);
                REQUIRE(range_holds(root, n, first, range, proof));
                if (first > 0) REQUIRE_FALSE(range_holds(root, n, first - 1, range, proof));
                if (first + count < n) REQUIRE_FALSE(range_holds(root, n, first + 1, range, proof));
            }
        }
    }
}

TEST_CASE("a range proof with anything changed is refused", "[vault][crypto]") {
    const auto leaves = some_leaves(37);
    const Digest root = merkle_root(leaves);
    const auto range = std::span(leaves).subspan(9, 5);
    const auto proof = prove_range(leaves, 9, 5);
    REQUIRE(range_holds(root, 37, 9, range, proof));
    for (std::size_t i = 0; i < proof.size(); ++i) {
        auto bad = proof;
        bad[i] = flipped(bad[i], i * 11);
        CHECK_FALSE(range_holds(root, 37, 9, range, bad));
    }
    std::vector<Digest> other(range.begin(), range.end());
    other[2] = flipped(other[2], 3);
    CHECK_FALSE(range_holds(root, 37, 9, other, proof));
    CHECK_FALSE(range_holds(flipped(root, 100), 37, 9, range, proof));
    CHECK_FALSE(range_holds(root, 37, 9, range, std::span(proof).first(proof.size() - 1)));
    auto longer = proof;
    longer.push_back(root);
    CHECK_FALSE(range_holds(root, 37, 9, range, longer));
    CHECK_FALSE(range_holds(root, 37, 9, {}, proof));
    CHECK_FALSE(range_holds(root, 37, 35, range, proof));
    CHECK_FALSE(range_holds(root, ~std::uint64_t{0}, ~std::uint64_t{0} - 2, range, proof));
    CHECK_FALSE(range_holds(root, ~std::uint64_t{0}, 9, range, proof));
}

TEST_CASE("bytes of a file are proved in whole leaves", "[vault][crypto]") {
    Buffer file(5 * merkle_leaf_bytes + 100);
    for (std::size_t i = 0; i < file.size(); ++i) file[i] = static_cast<std::uint8_t>(i / 999);
    const auto leaves = merkle_leaves_of_file(file);
    const Digest root = merkle_root_of_file(file);
    const View bytes = file;
    const auto middle = bytes.subspan(merkle_leaf_bytes, 2 * merkle_leaf_bytes);
    CHECK(file_range_holds(root, file.size(), 1, middle, prove_range(leaves, 1, 2)));
    const auto end = bytes.subspan(4 * merkle_leaf_bytes);
    CHECK(file_range_holds(root, file.size(), 4, end, prove_range(leaves, 4, 2)));

    CHECK_FALSE(file_range_holds(root, file.size(), 2, middle, prove_range(leaves, 1, 2)));
    CHECK_FALSE(file_range_holds(root, file.size(), 1, middle.first(middle.size() - 1),
                                 prove_range(leaves, 1, 2)));
    CHECK_FALSE(file_range_holds(root, file.size(), 1, {}, prove_range(leaves, 1, 2)));
    CHECK_FALSE(file_range_holds(root, file.size(), 6, middle, prove_range(leaves, 1, 2)));
    const std::uint64_t shorter = file.size() - 100 - merkle_leaf_bytes;
    CHECK_FALSE(file_range_holds(root, shorter, 4, end, prove_range(leaves, 4, 2)));
}
