// Hard links: gives each inode with several names one number, the same in every snapshot while the
// tree stays as it is.
//
// The number is the inode's own, so that a snapshot's metadata does not depend on what else was
// seen. Two file systems below one folder may use a number twice; the later one in path order then
// takes a free number far away.
#pragma once

#include "agent/source/files/status.h"

#include <map>
#include <unordered_set>

namespace holdfast::agent::files {

class HardLinks {
public:
    /// The number of an inode that was added before; 0 if it was not.
    std::uint64_t find(const InodeKey& inode) const {
        const auto found = numbers_.find(inode);
        return found == numbers_.end() ? 0 : found->second;
    }

    /// A number for an inode that is new. It counts only once add() is called.
    std::uint64_t propose(const InodeKey& inode) const {
        constexpr std::uint64_t far = 0x9e3779b97f4a7c15;  // Odd, so all numbers are tried.
        std::uint64_t number = inode.second;
        while (number == 0 || taken_.contains(number)) number += far;
        return number;
    }

    void add(const InodeKey& inode, std::uint64_t number) {
        numbers_.emplace(inode, number);
        taken_.insert(number);
    }

private:
    std::map<InodeKey, std::uint64_t> numbers_;
    std::unordered_set<std::uint64_t> taken_;
};

}  // namespace holdfast::agent::files
