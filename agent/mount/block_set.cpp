#include "agent/mount/block_set.h"

#include <algorithm>
#include <bit>

namespace holdfast::agent {
namespace {

void append_block(std::vector<BlockRun>& runs, std::uint64_t block) {
    if (!runs.empty() && runs.back().first + runs.back().count == block) {
        ++runs.back().count;
    } else {
        runs.push_back({block, 1});
    }
}

constexpr std::uint64_t bit_of(std::uint64_t block) {
    return std::uint64_t{1} << (block % 64);
}

}  // namespace

void cut_runs(std::vector<BlockRun>& runs, std::uint64_t from) {
    for (BlockRun& run : runs) {
        const std::uint64_t kept = run.first < from ? from - run.first : 0;
        run.count = std::min(run.count, kept);
    }
    std::erase_if(runs, [](const BlockRun& run) { return run.count == 0; });
}

bool BlockSet::contains(std::uint64_t block) const {
    const auto page = pages_.find(block / page_blocks);
    if (page == pages_.end()) return false;
    return (page->second[block % page_blocks / 64] & bit_of(block)) != 0;
}

BlockSet::Stretch BlockSet::stretch_at(std::uint64_t block, std::uint64_t limit) const {
    const bool held = contains(block);
    std::uint64_t count = 1;
    while (count < limit && contains(block + count) == held) ++count;
    return {held, count};
}

void BlockSet::insert(BlockRun run, std::vector<BlockRun>& fresh) {
    for (std::uint64_t block = run.first; block < run.first + run.count; ++block) {
        std::uint64_t& word = pages_[block / page_blocks][block % page_blocks / 64];
        if ((word & bit_of(block)) != 0) continue;
        word |= bit_of(block);
        ++count_;
        append_block(fresh, block);
    }
}

void BlockSet::erase(BlockRun run) {
    for (std::uint64_t block = run.first; block < run.first + run.count; ++block) {
        const auto page = pages_.find(block / page_blocks);
        if (page == pages_.end()) continue;
        std::uint64_t& word = page->second[block % page_blocks / 64];
        if ((word & bit_of(block)) != 0) --count_;
        word &= ~bit_of(block);
    }
}

bool BlockSet::erase_from(std::uint64_t from) {
    const std::uint64_t before = count_;
    auto page = pages_.lower_bound(from / page_blocks);
    while (page != pages_.end()) {
        for (std::uint64_t word = 0; word < page->second.size(); ++word) {
            const std::uint64_t base = page->first * page_blocks + word * 64;
            std::uint64_t& bits = page->second[word];
            std::uint64_t kept = 0;
            if (base + 64 <= from) {
                kept = bits;
            } else if (base < from) {
                kept = bits & (bit_of(from) - 1);
            }
            count_ -= static_cast<std::uint64_t>(std::popcount(bits & ~kept));
            bits = kept;
        }
        const bool empty = std::all_of(page->second.begin(), page->second.end(),
                                       [](std::uint64_t bits) { return bits == 0; });
        page = empty ? pages_.erase(page) : std::next(page);
    }
    return count_ != before;
}

std::uint64_t BlockSet::end() const {
    for (auto page = pages_.rbegin(); page != pages_.rend(); ++page) {
        for (std::uint64_t word = page->second.size(); word > 0; --word) {
            const std::uint64_t bits = page->second[word - 1];
            if (bits == 0) continue;
            return page->first * page_blocks + (word - 1) * 64 + 64 -
                   static_cast<std::uint64_t>(std::countl_zero(bits));
        }
    }
    return 0;
}

std::vector<BlockRun> BlockSet::runs() const {
    std::vector<BlockRun> out;
    for (const auto& [number, page] : pages_) {
        for (std::uint64_t word = 0; word < page.size(); ++word) {
            for (std::uint64_t bits = page[word]; bits != 0; bits &= bits - 1) {
                const auto bit = static_cast<std::uint64_t>(std::countr_zero(bits));
                append_block(out, number * page_blocks + word * 64 + bit);
            }
        }
    }
    return out;
}

}  // namespace holdfast::agent
