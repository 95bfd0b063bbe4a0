// Damage: failures that concern one object of a vault, so that others may well be fine.
#pragma once

#include "vault/base/result.h"

namespace holdfast {

/// True if the object is gone, wrong, or on a bad spot of the disk; not if the vault as a whole
/// cannot be asked.
inline bool is_damage(const Error& error) {
    return error.code == Errc::Corrupt || error.code == Errc::NotFound || error.code == Errc::Io;
}

}  // namespace holdfast
