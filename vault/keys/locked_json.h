// The `kdf`, `nonce` and `sealed` fields that kits and key files share. For .cpp files only.
#pragma once

#include "vault/keys/json_fields.h"
#include "vault/keys/locked_file.h"

namespace holdfast::vault {

void put_lock(Json& json, const PasswordLock& lock);
PasswordLock read_lock(Fields& in);

}  // namespace holdfast::vault
