// Init: an empty machine becomes a trust's first node.
//
//   keys -> roster 1, signed by a new trust key -> recovery kit -> empty vault -> node.toml
//
// node.toml comes last and says that all of it is there; what an earlier try left behind without it
// is thrown away, since nothing was ever sealed with those keys. The trust key and the recovery key
// exist in the kit alone: they are not written anywhere else on the node.
#pragma once

#include "agent/config/home.h"
#include "agent/config/node_settings.h"
#include "vault/base/clock.h"
#include "vault/crypto/random.h"
#include "vault/crypto/secret.h"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::agent {

struct InitSettings {
    std::string trust_name;
    std::string node_name;                    // Empty: "node-1".
    std::optional<vault::Secret> passphrase;  // Of the kit; none: one is generated and written.
    std::optional<PeerSettings> peer;
    std::optional<ConsoleSettings> console;
    std::uint64_t kit_memory_bytes = 256 << 20;  // Argon2id's.
};

struct InitResult {
    TrustId trust;
    std::string kit_file;
    std::string passphrase_file;  // Empty if a passphrase was given.
};

/// Errors: Conflict (there is a node already), Invalid (a name), Full, Io.
Result<InitResult> init_node(const Home& home, InitSettings settings, const Clock& clock,
                             vault::Random& random);

}  // namespace holdfast::agent
