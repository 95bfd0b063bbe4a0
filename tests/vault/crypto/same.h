#pragma once

#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"

namespace holdfast::test {

inline bool same(const vault::Secret& a, const vault::Secret& b) {
    return vault::equal_in_constant_time(a.view(), b.view());
}

}  // namespace holdfast::test
