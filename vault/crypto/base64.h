// Base64 (RFC 4648, with padding), in constant time and where secrets are meant, in their memory.
#pragma once

#include "vault/crypto/secret.h"

#include <string>
#include <string_view>

namespace holdfast::vault {

std::string to_base64(View bytes);

/// Errors: Invalid (not base64, or padded wrongly).
Result<Buffer> from_base64(std::string_view text);

Secret secret_to_base64(View bytes);

/// Errors: Invalid (not base64, or padded wrongly).
Result<Secret> secret_from_base64(View text);

}  // namespace holdfast::vault
