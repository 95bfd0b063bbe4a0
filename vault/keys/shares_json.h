// `scheme`, `threshold` and `shares` as custody records and envelopes hold them. For .cpp files
// only.
#pragma once

#include "vault/keys/custody.h"
#include "vault/keys/json_fields.h"

namespace holdfast::vault {

void put_shares(Json& json, const ShareSet& set);

/// Fails `in` unless numbers and keys are distinct and the threshold is possible.
ShareSet read_shares(Fields& in, const TrustId& trust, const Digest& of);

}  // namespace holdfast::vault
