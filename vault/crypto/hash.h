// The two hash constructions of the format (docs/vault-format.md, 1): tagged, and tagged with a
// key.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/secret.h"

#include <initializer_list>
#include <string_view>

namespace holdfast::vault {

/// H(tag, parts…): BLAKE2b-256 over "holdfast/1/" tag 0x00 and the parts, one behind the other.
Digest hash(std::string_view tag, std::initializer_list<View> parts);
inline Digest hash(std::string_view tag, View message) {
    return hash(tag, {message});
}

/// K(key, tag, parts…): the same, keyed; 32 bytes of key.
Secret derive(const Secret& key, std::string_view tag, std::initializer_list<View> parts);

/// The same into `out`, 32 bytes: locked memory costs ten system calls, so a loop brings its own.
void derive_into(Secret& out, const Secret& key, std::string_view tag,
                 std::initializer_list<View> parts);

/// BLAKE2b-256 keyed with `key`, over `message` alone: chunk ids.
ChunkId keyed_hash(const Secret& key, View message);

/// "holdfast/1/" tag 0x00 and the parts: what signatures and additional data cover.
Buffer tagged(std::string_view tag, std::initializer_list<View> parts);

/// True if equal; takes the same time wherever they differ.
bool equal_in_constant_time(View a, View b);

}  // namespace holdfast::vault
