// BlockSet: which blocks of one file have content in the overlay.
//
// A bitmap in pages of 4096 bits, so that a block far out in a sparse file costs one page. Plain
// data: the owner locks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace holdfast::agent {

/// Of the overlay. PostgreSQL writes 8 KiB, the kernel's page cache 4 KiB; a smaller block would
/// buy nothing, and at 8 KiB each first page of a shared mapping would be filled from below.
constexpr std::uint64_t block_bytes = 4096;

struct BlockRun {
    std::uint64_t first = 0;
    std::uint64_t count = 0;

    friend bool operator==(const BlockRun&, const BlockRun&) = default;
};

/// Takes blocks `from` and above out of `runs`.
void cut_runs(std::vector<BlockRun>& runs, std::uint64_t from);

class BlockSet {
public:
    struct Stretch {
        bool held;            // Whether these blocks are in the set,
        std::uint64_t count;  // and how many, from the one asked for, are alike.
    };

    bool contains(std::uint64_t block) const;
    std::uint64_t count() const { return count_; }

    /// How the `limit` blocks from `block` begin. `limit` > 0.
    Stretch stretch_at(std::uint64_t block, std::uint64_t limit) const;

    /// Adds `run`; appends to `fresh` what was not in the set before.
    void insert(BlockRun run, std::vector<BlockRun>& fresh);

    void erase(BlockRun run);

    /// Takes out block `from` and all above it. Answers whether there were any.
    bool erase_from(std::uint64_t from);

    /// One more than the highest block; 0 if empty.
    std::uint64_t end() const;

    std::vector<BlockRun> runs() const;

private:
    static constexpr std::uint64_t page_blocks = 4096;
    using Page = std::array<std::uint64_t, page_blocks / 64>;

    std::map<std::uint64_t, Page> pages_;
    std::uint64_t count_ = 0;
};

}  // namespace holdfast::agent
