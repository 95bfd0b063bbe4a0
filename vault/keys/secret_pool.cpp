#include "vault/keys/secret_pool.h"

#include "vault/base/assert.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t keys_per_slab = 1024;

}  // namespace

std::size_t SecretPool::put(View key) {
    HF_ASSERT(key.size() == key_bytes);
    if (free_.empty()) {
        slabs_.emplace_back(key_bytes * keys_per_slab);
        for (std::size_t i = keys_per_slab; i > 0; --i) {
            free_.push_back((slabs_.size() - 1) * keys_per_slab + i - 1);
        }
    }
    const std::size_t slot = free_.back();
    free_.pop_back();
    std::copy(key.begin(), key.end(), at(slot));
    return slot;
}

Secret SecretPool::copy(std::size_t slot) const {
    const View slab = slabs_[slot / keys_per_slab].view();
    return Secret::copy_of(slab.subspan(slot % keys_per_slab * key_bytes, key_bytes));
}

// The slab lives on, so the compiler may not drop these writes as dead.
void SecretPool::wipe(std::size_t slot) {
    std::fill_n(at(slot), key_bytes, std::uint8_t{0});
    free_.push_back(slot);
}

std::uint8_t* SecretPool::at(std::size_t slot) {
    return slabs_[slot / keys_per_slab].data() + slot % keys_per_slab * key_bytes;
}

}  // namespace holdfast::vault
