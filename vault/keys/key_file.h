// Key file: secrets of this node at rest, readable by the one user that needs them.
//
//   file := "HFKEY1\r\n"  count: u8  (length: u32  bytes)*count          mode 0600
//
// A disk thief who has the file has the secrets; docs/threat-model.md says what follows.
#pragma once

#include "vault/base/result.h"
#include "vault/crypto/secret.h"

#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t key_file_bytes_max = 64 << 10;

/// Errors: Full, Io.
Result<void> write_key_file(const std::string& path, const std::vector<const Secret*>& secrets);

/// Exactly `count` secrets. Errors: NotFound, Corrupt, Denied (not this user's, or readable by
/// others), Io.
Result<std::vector<Secret>> read_key_file(const std::string& path, std::size_t count);

}  // namespace holdfast::vault
