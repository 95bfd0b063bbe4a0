#include "agent/cli/person_key.h"

#include "agent/cli/passphrase.h"
#include "vault/base/file.h"
#include "vault/keys/locked_file.h"

namespace holdfast::agent::cli {

Result<vault::SigningKey> open_person_key(const PersonKeyFile& file) {
    const Buffer text = HF_TRY(read_file(file.path, vault::locked_key_bytes_max));
    const vault::LockedKey locked =
        HF_TRY(vault::parse_locked_key(as_text(text), vault::KeyUse::Person).within(file.path));
    if (!file.name.empty() && locked.name != file.name) {
        return Error{Errc::Invalid,
                     file.path + " is the key of " + locked.name + ", not of " + file.name};
    }
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(file.passphrase_file, "Passphrase of " + locked.name));
    return vault::open_person_key(locked, passphrase).within(file.path);
}

}  // namespace holdfast::agent::cli
