#include "vault/chunk/chunker.h"

#include "vault/base/assert.h"

#include <algorithm>

namespace holdfast::vault {

namespace {

constexpr unsigned bits_spread = 2;

struct Scan {
    const std::uint8_t* data;
    const GearTable& table;
    const GearTable& twice;
    std::uint64_t hash = 0;
    std::size_t at = 0;

    // Moves on to the first cut in (at, end]; true if there is one, with `at` on it. Two bytes a
    // step: the sum of their weights does not wait for the hash, so the chain that bounds the speed
    // is one shift and add for both.
    bool find(std::size_t end, std::uint64_t threshold) {
        std::uint64_t h = hash;
        for (; at + 2 <= end; at += 2) {
            const std::uint64_t first = table[data[at]];
            const std::uint64_t both = twice[data[at]] + table[data[at + 1]];
            if (2 * h + first < threshold) {
                at += 1;
                return true;
            }
            h = 4 * h + both;
            if (h < threshold) {
                at += 2;
                return true;
            }
        }
        for (; at < end; ++at) {
            h = 2 * h + table[data[at]];
            if (h < threshold) {
                at += 1;
                return true;
            }
        }
        hash = h;
        return false;
    }
};

}  // namespace

Chunker::Chunker(const GearTable& table, CutSizes sizes) : sizes_(sizes), table_(table) {
    HF_ASSERT(0 < sizes.bytes_min && sizes.bytes_min <= sizes.bytes_normal);
    HF_ASSERT(sizes.bytes_normal <= sizes.bytes_max && sizes.bytes_max <= chunk_bytes_max);
    HF_ASSERT(3 <= sizes.bits && sizes.bits <= 40);
    std::transform(table.begin(), table.end(), twice_.begin(), [](auto v) { return 2 * v; });
}

std::size_t Chunker::next_cut(View data, bool final) const {
    if (!final && data.size() < sizes_.bytes_max) return 0;
    const std::size_t end = std::min(data.size(), sizes_.bytes_max);
    if (end <= sizes_.bytes_min) return end;

    const std::uint64_t strict = std::uint64_t{1} << (64 - sizes_.bits - bits_spread);
    const std::uint64_t easy = std::uint64_t{1} << (64 - sizes_.bits + bits_spread);
    Scan scan{data.data(), table_, twice_, 0, sizes_.bytes_min};
    if (!scan.find(std::min(end, sizes_.bytes_normal), strict)) scan.find(end, easy);
    return scan.at;
}

}  // namespace holdfast::vault
