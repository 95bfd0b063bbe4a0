#include "vault/crypto/secret_memory.h"

#include <sodium.h>

#include <mutex>
#include <vector>

namespace holdfast::vault {
namespace {

constexpr std::size_t piece_bytes = 64;
constexpr std::size_t slab_bytes = 16'384;

class Slabs {
public:
    std::uint8_t* allocate() {
        const std::lock_guard lock(mutex_);
        if (free_.empty() && !grow()) return nullptr;
        std::uint8_t* const piece = free_.back();
        free_.pop_back();
        return piece;
    }

    /// False if it is none of a slab's.
    bool release(std::uint8_t* piece) {
        const std::lock_guard lock(mutex_);
        for (const std::uint8_t* slab : slabs_) {
            if (piece < slab || piece >= slab + slab_bytes) continue;
            sodium_memzero(piece, piece_bytes);
            free_.push_back(piece);  // There was room for it when the slab came.
            return true;
        }
        return false;
    }

private:
    bool grow() {
        auto* const slab = static_cast<std::uint8_t*>(sodium_malloc(slab_bytes));
        if (slab == nullptr) return false;
        sodium_memzero(slab, slab_bytes);
        slabs_.push_back(slab);
        free_.reserve(slabs_.size() * (slab_bytes / piece_bytes));
        for (std::size_t at = slab_bytes; at > 0; at -= piece_bytes) {
            free_.push_back(slab + at - piece_bytes);
        }
        return true;
    }

    std::mutex mutex_;
    std::vector<std::uint8_t*> slabs_;
    std::vector<std::uint8_t*> free_;
};

/// Never destroyed: Secrets of static objects may end after it would.
Slabs& slabs() {
    static Slabs* const all = new Slabs;
    return *all;
}

}  // namespace

std::uint8_t* allocate_secret(std::size_t size) {
    if (size <= piece_bytes) return slabs().allocate();
    auto* const memory = static_cast<std::uint8_t*>(sodium_malloc(size));
    if (memory != nullptr) sodium_memzero(memory, size);
    return memory;
}

void release_secret(std::uint8_t* memory) noexcept {
    if (memory == nullptr || slabs().release(memory)) return;
    sodium_free(memory);
}

}  // namespace holdfast::vault
