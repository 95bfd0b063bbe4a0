// The JSON inside a locked file: one flat object of texts, which never leaves locked memory.
//
// A JSON library would spread secrets over the heap; this reads and writes just what a kit needs.
#pragma once

#include "vault/crypto/secret.h"

#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::vault {

/// {"name":"base64",…}; names must be plain lower-case words.
Secret secret_json(const std::vector<std::pair<std::string_view, View>>& fields);

/// The bytes of one field of such an object; fields that are not asked for are left alone.
/// Errors: Corrupt (no such field, not of `size` bytes, or not a flat object of plain texts).
Result<Secret> secret_field(const Secret& json, std::string_view name, std::size_t size);

}  // namespace holdfast::vault
