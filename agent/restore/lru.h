// Lru: keeps what was used last, up to a number of bytes. Not thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>

namespace holdfast::agent {

template <class Key, class Value>
class Lru {
public:
    /// Shared, since a value may be forgotten while a reader still uses it.
    using Pointer = std::shared_ptr<const Value>;

    explicit Lru(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    /// Null if it is not there.
    Pointer find(const Key& key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return nullptr;
        recent_.splice(recent_.begin(), recent_, found->second);
        return recent_.front().value;
    }

    /// Keeps `value`, which takes about `bytes`; the newest stays, however large.
    void add(const Key& key, Pointer value, std::size_t bytes) {
        if (by_key_.contains(key)) return;
        recent_.push_front({key, std::move(value), bytes});
        by_key_[key] = recent_.begin();
        bytes_ += bytes;
        while (bytes_ > bytes_max_ && recent_.size() > 1) {
            bytes_ -= recent_.back().bytes;
            by_key_.erase(recent_.back().key);
            recent_.pop_back();
        }
    }

    std::size_t bytes() const { return bytes_; }

private:
    struct Kept {
        Key key;
        Pointer value;
        std::size_t bytes;
    };
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<Kept> recent_;  // Newest first.
    std::map<Key, typename std::list<Kept>::iterator> by_key_;
};

}  // namespace holdfast::agent
