#include "vault/snapshot/naming.h"

#include "vault/crypto/hash.h"

namespace holdfast::vault {

Naming::Naming(const Secret& secret) {
    for (std::uint8_t kind = 1; kind < keys_.size(); ++kind) {
        keys_[kind] = derive(secret, "chunk id", {View(&kind, 1)});
    }
    Secret random(32);
    for (std::size_t i = 0; i < gear_.size(); ++i) {
        const std::uint8_t byte = static_cast<std::uint8_t>(i);
        derive_into(random, secret, "gear", {View(&byte, 1)});
        ByteReader in(random.view());
        gear_[i] = in.u64();
    }
}

ChunkId Naming::id(Kind kind, View content) const {
    return keyed_hash(keys_[static_cast<std::size_t>(kind)], content);
}

}  // namespace holdfast::vault
