// Persons: who may order what, by certificates that officers sign.
//
// A certificate is a record of type "person", signed by an officer of the roster and addressed to
// the trust. Of one person the highest number holds; a person is disabled by a later certificate.
// It holds only as long as its officer is on the roster. Whoever is new, was reset, or got a role
// cannot approve for a day; renewing the same key with the same roles keeps the standing.
#pragma once

#include "vault/keys/roster.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::int64_t approval_wait_ms = 24LL * 3600 * 1000;
constexpr std::size_t persons_max = 10'000;

using PersonId = Id<struct PersonTag>;  // Random; outlives names and keys.

enum class Role : std::uint8_t { Viewer, Operator, Approver, Admin, Officer };

/// "viewer", "operator", "approver", "admin", "officer".
std::string_view role_name(Role role);

struct PersonCertificate {
    PersonId person;
    std::uint64_t number = 1;
    TrustId trust;
    std::string name;
    PublicKey key;            // Ed25519; its secret is in a key file (locked_file.h).
    std::vector<Role> roles;  // Sorted, each once.
    bool disabled = false;
    std::int64_t time = 0;
    std::int64_t valid_from = 0;
    std::int64_t valid_to = 0;

    bool has(Role role) const;
    friend bool operator==(const PersonCertificate&, const PersonCertificate&) = default;
};

/// Signs with an officer's key. Errors: Invalid (no name, no roles, or an empty time).
Result<Buffer> certify(const PersonCertificate& certificate, const SigningKey& officer);

/// Errors: Corrupt, Denied (of another trust, or signed by no officer of the roster).
Result<PersonCertificate> parse_certificate(View object, const Roster& roster);

/// The persons of one trust, as one node knows them.
class People {
public:
    /// `seen_ms` is when this node first saw the certificate: a date in it could be written back.
    /// Errors: Conflict (another of this number is here, or the key is another person's), Full.
    Result<void> add(const PersonCertificate& certificate, std::int64_t seen_ms);

    /// Whose present key this is; null if nobody's.
    const PersonCertificate* by_key(const PublicKey& key) const;

    /// Errors: Denied (unknown, disabled, expired, without the role, or, for Approver, too new).
    Result<void> may(const PublicKey& key, Role role, std::int64_t now_ms) const;

    /// That two different persons signed `record`: one approver, and another approver or an
    /// operator. Gives their certificates. Errors: Denied.
    Result<std::vector<PersonCertificate>> two_persons(const Record& record,
                                                       std::int64_t now_ms) const;

private:
    struct Seen {
        PersonCertificate certificate;
        std::int64_t seen_ms = 0;
    };
    using History = std::map<std::uint64_t, Seen>;  // By number.

    static std::int64_t standing_since(const History& history);
    const History* history_of(const PublicKey& key) const;

    std::map<PersonId, History> persons_;
};

}  // namespace holdfast::vault
