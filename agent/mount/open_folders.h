// OpenFolders: the listings that programs are reading. The kernel holds a number for each and gives
// it back with RELEASEDIR; that never comes for what is open when a mount ends, so they are owned
// here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace holdfast::agent {

/// Thread-safe. A listing itself belongs to whoever has its number.
template <class Listing>
class OpenFolders {
public:
    /// The listing's number.
    std::uint64_t add(std::unique_ptr<Listing> listing) {
        const std::lock_guard lock(mutex_);
        listings_.emplace(++last_, std::move(listing));
        return last_;
    }

    /// `number` must be one of add() that was not removed.
    Listing& at(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        return *listings_.at(number);
    }

    void remove(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        listings_.erase(number);
    }

private:
    std::mutex mutex_;
    std::map<std::uint64_t, std::unique_ptr<Listing>> listings_;
    std::uint64_t last_ = 0;
};

}  // namespace holdfast::agent
