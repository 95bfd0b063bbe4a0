// Passphrases: from a file that is named, or from the terminal; never from the command line.
#pragma once

#include "vault/base/result.h"
#include "vault/crypto/secret.h"

#include <string>

namespace holdfast::agent::cli {

constexpr std::size_t passphrase_bytes_max = 1024;

/// The first line of `path`. Errors: NotFound, Invalid (empty or too long), Denied, Io.
Result<vault::Secret> read_passphrase(const std::string& path);

/// From `file` if it is not empty; else asks on the terminal without echo.
/// Errors: Invalid (no file and no terminal: says which option to give), and as read_passphrase.
Result<vault::Secret> get_passphrase(const std::string& file, const std::string& prompt);

}  // namespace holdfast::agent::cli
