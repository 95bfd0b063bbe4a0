// People book: the certificates of a trust's persons that this node holds.
//
//     HOME/people/PERSON/NUMBER-SEEN.person     the own trust's; SEEN: when it came, milliseconds
//     HOME/people/founders-until                milliseconds; written with the first agreement
//     HOME/tenants/TRUST/papers/**              a partner's, who may order runs of their systems
//
// Whoever is new cannot approve for a day (vault/keys/person.h). Founders are not new: those who
// were certified before the trust signed its first agreement, when nobody else was bound by it; and
// of a partner, those certified before the agreement and received within a day of it.
#pragma once

#include "agent/config/home.h"
#include "vault/base/clock.h"
#include "vault/crypto/random.h"
#include "vault/keys/person.h"

#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {

constexpr std::int64_t certificate_valid_ms = 2LL * 366 * 24 * 3600 * 1000;

struct KnownPerson {
    vault::PersonCertificate certificate;  // The one that holds.
    std::int64_t seen_ms = 0;
    bool founder = false;
};

class PeopleBook {
public:
    /// The own trust's. Errors: Corrupt, Denied (a file that does not hold: named), Io.
    static Result<PeopleBook> load(const Home& home, const vault::Roster& roster);
    /// A partner's, from its papers. Records that do not hold are left out. Errors: Io.
    static Result<PeopleBook> load_papers(const std::string& folder, const vault::Roster& roster);

    const vault::People& people() const { return people_; }
    /// Sorted by name.
    std::vector<KnownPerson> all() const;
    /// The person called so, exactly. Errors: NotFound, Conflict (two of that name).
    Result<KnownPerson> named(const std::string& name) const;

private:
    Result<void> add(const vault::PersonCertificate& certificate, std::int64_t seen_ms,
                     bool founder);

    vault::People people_;
    std::map<vault::PersonId, KnownPerson> newest_;
};

struct NewPerson {
    std::string name;
    std::vector<vault::Role> roles;
    PublicKey key;
};

/// Keeps a certificate that a host had kept, as if it had been here since it was made.
/// Errors: Full, Io.
Result<void> keep_certificate(const Home& home, const vault::PersonCertificate& certificate,
                              View object);

/// Certifies a new person and keeps the certificate. Errors: Conflict (the name is taken), Invalid,
/// Denied (`office` is not on the roster), Full, Io.
Result<vault::PersonCertificate> add_person(const Home& home, const vault::Roster& roster,
                                            const vault::SigningKey& office,
                                            const NewPerson& person, const Clock& clock,
                                            vault::Random& random);

/// Errors: NotFound, Conflict (disabled already), Full, Io.
Result<vault::PersonCertificate> disable_person(const Home& home, const vault::Roster& roster,
                                                const vault::SigningKey& office,
                                                const std::string& name, const Clock& clock);

/// The own certificates as records, to travel with an agreement. Errors: Io.
Result<std::vector<Buffer>> person_records(const Home& home);

/// From now on new persons wait; to be called when the first agreement is signed. Later calls
/// change nothing. Errors: Full, Io.
Result<void> end_founding(const Home& home, std::int64_t now_ms);

/// Errors: Invalid.
Result<vault::Role> parse_role(const std::string& name);

}  // namespace holdfast::agent
