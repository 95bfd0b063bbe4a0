// Seal: one generation of a trust's wrapped keys (docs/vault-format.md, 5).
//
// When the recovery key is renewed, all domain records and epoch objects are wrapped anew beside
// the old ones, under names that end in a new seal. The roster that has the new recovery key names
// that seal, so both come into force at one instant; objects of other seals count for nothing.
#pragma once

#include "vault/crypto/random.h"

#include <string>
#include <string_view>

namespace holdfast::vault {

class Fields;

/// 16 lower-case hexadecimal digits. Nobody can tell the next one, so nobody takes its names.
std::string make_seal(Random& random);
bool is_seal(std::string_view text);

/// The field "seal", which may be left out: then it is empty, the first. Fails `in` if it is wrong.
std::string read_seal(Fields& in);

}  // namespace holdfast::vault
