#include "vault/chunk/chunker.h"
#include "tests/vault/chunk/material.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

std::vector<std::size_t> cut_lengths(const Chunker& chunker, View data) {
    std::vector<std::size_t> lengths;
    while (!data.empty()) {
        lengths.push_back(chunker.next_cut(data, true));
        data = data.subspan(lengths.back());
    }
    return lengths;
}

// One byte a step, as the comment of chunker.h tells it.
std::size_t slow_cut(const GearTable& table, const CutSizes& sizes, View data) {
    std::uint64_t hash = 0;
    const std::size_t end = std::min(data.size(), sizes.bytes_max);
    for (std::size_t at = sizes.bytes_min; at < end; ++at) {
        hash = 2 * hash + table[data[at]];
        const unsigned bits = at < sizes.bytes_normal ? sizes.bits + 2 : sizes.bits - 2;
        if (hash < std::uint64_t{1} << (64 - bits)) return at + 1;
    }
    return end;
}

}  // namespace

TEST_CASE("chunks keep their limits and their average, and add up to the stream",
          "[vault][chunk]") {
    const Chunker chunker(material::gear_table());
    const Buffer data = material::random_bytes(32 << 20, 1);
    const auto lengths = cut_lengths(chunker, data);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        sum += lengths[i];
        CHECK(lengths[i] <= chunker.sizes().bytes_max);
        if (i + 1 < lengths.size()) CHECK(lengths[i] > chunker.sizes().bytes_min);
    }
    CHECK(sum == data.size());
    const std::size_t mean = sum / lengths.size();
    CHECK(mean > 100_KiB);
    CHECK(mean < 150_KiB);
}

TEST_CASE("the fast scan cuts where the definition says", "[vault][chunk]") {
    const GearTable table = material::gear_table();
    const Buffer data = material::random_bytes(1 << 20, 2);
    // Odd and even places and limits, and all bytes of the table.
    const std::vector<CutSizes> sizes{
        {64, 256, 2048, 8}, {63, 255, 2047, 8}, {1, 1, 4, 3}, {65, 130, 131, 5}, {7, 7, 7, 3}};
    for (const CutSizes& s : sizes) {
        const Chunker chunker(table, s);
        View rest = data;
        while (!rest.empty()) {
            const std::size_t cut = chunker.next_cut(rest, true);
            REQUIRE(cut == slow_cut(table, s, rest));
            rest = rest.subspan(cut);
        }
    }
}

TEST_CASE("an insertion moves only the cuts beside it", "[vault][chunk]") {
    const Chunker chunker(material::gear_table());
    const Buffer before = material::random_bytes(16 << 20, 3);
    Buffer after = before;
    const Buffer insertion = material::random_bytes(777, 4);
    after.insert(after.begin() + (5 << 20), insertion.begin(), insertion.end());

    // Cuts counted from the end, which the insertion does not move.
    const auto cuts_from_end = [&](const Buffer& data) {
        std::set<std::size_t> cuts;
        std::size_t at = 0;
        for (const std::size_t length : cut_lengths(chunker, data)) {
            at += length;
            cuts.insert(data.size() - at);
        }
        return cuts;
    };
    const auto old_cuts = cuts_from_end(before);
    const auto new_cuts = cuts_from_end(after);
    std::size_t moved = 0;
    for (const std::size_t cut : old_cuts) {
        if (cut < (10 << 20) && !new_cuts.contains(cut)) ++moved;  // From 1 MiB behind it on.
    }
    CHECK(moved == 0);
}

TEST_CASE("a stream that may go on is cut only where its end cannot matter", "[vault][chunk]") {
    const Chunker chunker(material::gear_table());
    const Buffer data = material::random_bytes(2 << 20, 5);
    const View all = data;
    CHECK(chunker.next_cut(all.first(512_KiB - 1), false) == 0);
    CHECK(chunker.next_cut(all.first(512_KiB), false) == chunker.next_cut(all, true));
    CHECK(chunker.next_cut({}, false) == 0);
    CHECK(chunker.next_cut({}, true) == 0);
    CHECK(chunker.next_cut(all.first(1), true) == 1);
    CHECK(chunker.next_cut(all.first(32_KiB), true) == 32_KiB);
}

TEST_CASE("bytes without a cut are cut at the maximum", "[vault][chunk]") {
    const Chunker chunker(material::gear_table());
    const Buffer zeros(1 << 20);
    CHECK(chunker.next_cut(zeros, true) == 512_KiB);
}

TEST_CASE("another table cuts elsewhere", "[vault][chunk]") {
    GearTable table = material::gear_table();
    const Buffer data = material::random_bytes(4 << 20, 6);
    const auto ours = cut_lengths(Chunker(table), data);
    std::reverse(table.begin(), table.end());
    CHECK(cut_lengths(Chunker(table), data) != ours);
}
