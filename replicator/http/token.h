// Tokens: random texts that prove that a browser was here before, and what is kept of them.
//
// A server keeps a token's hash, never the token: who reads its memory or a log cannot use it.
#pragma once

#include "vault/base/units.h"

#include <string>
#include <string_view>

namespace holdfast::replicator {

/// 256 random bits as 64 hexadecimal digits. Stops the process if the machine has no randomness.
std::string make_token();

/// SHA-256 over `text`.
Digest token_hash(std::string_view text);

/// True if equal; takes the same time wherever they differ.
bool same_token(std::string_view a, std::string_view b);

}  // namespace holdfast::replicator
