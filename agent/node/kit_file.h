// Kit file: the recovery kit as it is written for people, and its passphrase if that was generated.
#pragma once

#include "vault/keys/kit.h"

#include <optional>
#include <string>

namespace holdfast::agent {

struct KitFiles {
    std::string kit;         // FOLDER/recovery-kit.json
    std::string passphrase;  // FOLDER/passphrase.txt; empty if the passphrase was given.
};

struct NewKit {
    TrustId trust;
    std::string name;  // The trust's.
    vault::KitSecrets secrets;
    std::vector<vault::KitPartner> partners;
    std::optional<vault::Secret> passphrase;  // None: one is generated, and written beside it.
    std::uint64_t memory_bytes = vault::PasswordCost().memory_bytes;
};

/// Makes `folder` if need be; both files are its owner's alone. Errors: Conflict (a kit is there),
/// Invalid, Full, Denied, Io.
Result<KitFiles> write_kit_files(const std::string& folder, const NewKit& kit, std::int64_t now_ms,
                                 vault::Random& random);

}  // namespace holdfast::agent
