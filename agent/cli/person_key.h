// Person key: a person's own key, opened on this machine; passphrases go no further.
#pragma once

#include "vault/crypto/keys.h"

#include <string>

namespace holdfast::agent::cli {

struct PersonKeyFile {
    std::string path;
    std::string passphrase_file;  // Empty: asked for on the terminal.
    std::string name;             // Whose it must be; empty: anybody's.
};

/// Errors: NotFound, Corrupt (no key file), Invalid (another's key; no passphrase), Denied (a wrong
/// one), Io.
Result<vault::SigningKey> open_person_key(const PersonKeyFile& file);

}  // namespace holdfast::agent::cli
