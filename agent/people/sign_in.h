// Sign-in: a person shows that they know their passphrase, by opening the copy of their key that
// this node keeps for it.
//
//     HOME/people/PERSON/sign-in.key     the person's locked key file (vault/keys/locked_file.h)
//
// The copy approves nothing: a failover is signed with the person's own file, where they are. Who
// has the node's disk can guess at the copies' passphrases, at Argon2id's cost a guess.
// check_sign_in() blocks for about a second, on purpose: it belongs on a worker.
#pragma once

#include "agent/config/home.h"
#include "vault/keys/locked_file.h"
#include "vault/keys/person.h"

#include <string>
#include <vector>

namespace holdfast::agent {

/// Argon2id's memory for one sign-in; a copy that needs more is not kept.
constexpr std::uint64_t sign_in_memory_max = 1_GiB;

struct SignedIn {
    vault::PersonId person;
    std::string name;
    std::vector<vault::Role> roles;
};

/// Keeps `locked` for the sign-in of `person`, instead of an older copy.
/// Errors: Invalid (another person's key, or over sign_in_memory_max), Full, Io.
Result<void> keep_sign_in(const Home& home, const vault::PersonCertificate& person,
                          const vault::LockedKey& locked);
/// Errors: NotFound (there is no copy), Io.
Result<void> forget_sign_in(const Home& home, const vault::PersonCertificate& person);

/// Unknown persons, persons without a copy, disabled persons and wrong passphrases are refused
/// in the same words, after the same work; `stranger_cost` is what the work costs where there is no
/// copy. Whose certificate has ended is told so once the passphrase was right.
/// Errors: Denied, Full (no memory for it just now), Corrupt, Io.
Result<SignedIn> check_sign_in(const Home& home, const std::string& name,
                               const vault::Secret& passphrase,
                               const vault::PasswordCost& stranger_cost, std::int64_t now_ms);

/// Who this is, if they may (still) be signed in. Errors: Denied, Corrupt, Io.
Result<SignedIn> still_signed_in(const Home& home, const vault::PersonId& person,
                                 std::int64_t now_ms);

}  // namespace holdfast::agent
