// SecretPool: many 32-byte keys in few pieces of locked memory.
//
// A Secret of its own costs four pages and as many mappings; a vault of ten years has thousands
// of epochs, and the kernel gives a process 65,530 mappings. Not thread-safe.
#pragma once

#include "vault/crypto/secret.h"

#include <cstddef>
#include <vector>

namespace holdfast::vault {

class SecretPool {
public:
    /// `key` must be 32 bytes. The slot stays valid until wipe().
    std::size_t put(View key);
    Secret copy(std::size_t slot) const;
    void wipe(std::size_t slot);

private:
    std::uint8_t* at(std::size_t slot);

    std::vector<Secret> slabs_;
    std::vector<std::size_t> free_;
};

}  // namespace holdfast::vault
