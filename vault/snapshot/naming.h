// Naming: the secrets by which a domain names and cuts its chunks (docs/vault-format.md, 5 and 6).
#pragma once

#include "vault/chunk/chunker.h"
#include "vault/crypto/secret.h"
#include "vault/keys/segment.h"

#include <array>

namespace holdfast::vault {

/// Immutable; workers share one.
class Naming {
public:
    /// `secret`: the domain's naming secret, 32 bytes.
    explicit Naming(const Secret& secret);

    ChunkId id(Kind kind, View content) const;
    const GearTable& gear() const { return gear_; }

private:
    std::array<Secret, 5> keys_;  // By kind, 1 to 4.
    GearTable gear_;
};

}  // namespace holdfast::vault
