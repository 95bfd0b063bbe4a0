// A small trust for the tests of keys: one node, one officer, roster 1.
#pragma once

#include "vault/keys/roster.h"

#include <catch2/catch.hpp>

namespace holdfast::test {

using namespace vault;

constexpr std::int64_t now_ms = 1'790'000'000'000;

/// So cheap that a test does not wait; Argon2 itself is libsodium's.
inline PasswordCost cheap() {
    return {1, 8192, {}};
}

inline Secret passphrase(std::string_view text) {
    return Secret::copy_of(as_view(text));
}

struct Trust {
    SigningKey first = SigningKey::make(system_random());
    SigningKey second = SigningKey::make(system_random());
    BoxKey recovery = BoxKey::make(system_random());
    SigningKey ledger = SigningKey::make(system_random());
    BoxKey box = BoxKey::make(system_random());
    SigningKey officer = SigningKey::make(system_random());
    TrustId id = trust_id(first.public_key);
    Buffer object = signed_with(draft(), first);
    Roster roster = *parse_roster(object);

    Roster draft() const {
        Roster r;
        r.trust = id;
        r.name = "Northvale";
        r.time = now_ms;
        r.next_trust_key_hash = trust_key_hash(second.public_key);
        r.recovery_key = recovery.public_key;
        r.nodes = {{"node-1", NodeState::Active, ledger.public_key, box.public_key,
                    system_random().id<PublicKey>(), system_random().id<Digest>()}};
        r.officers = {{"O. Ficer", officer.public_key}};
        return r;
    }

    static Buffer signed_with(const Roster& roster, const SigningKey& key) {
        Result<Buffer> object = sign_roster(roster, key);
        REQUIRE(object);
        return *std::move(object);
    }

    /// The roster after this trust's, changed by `change` and signed with `key`.
    template <class Change>
    Buffer next(const SigningKey& key, Change change) const {
        Roster r = next_roster(roster, now_ms + 1);
        change(r);
        return signed_with(r, key);
    }
};

}  // namespace holdfast::test
