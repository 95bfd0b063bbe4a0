// WitnessScene: an owner, the host that runs its system, and a witness, over real TLS on loopback.
#pragma once

#include "replicator/witness/witness_word.h"
#include "tests/replicator/peer/test_trust.h"
#include "vault/keys/person.h"

#include <string>
#include <vector>

namespace holdfast::replicator::test {

struct WitnessPerson {
    std::string name;
    vault::SigningKey key;
};

/// Ada approves, Ben operates; both are the owner's.
struct WitnessScene {
    WitnessScene();

    /// A term of "epr" at the host, signed by the host alone.
    vault::Record term(std::uint64_t number, const vault::Record* before = nullptr,
                       const std::string& run = "epr-failover-1") const;
    /// The same with both persons.
    vault::Record signed_term(std::uint64_t number, const vault::Record* before = nullptr,
                              const std::string& run = "epr-failover-1") const;
    Result<WitnessReply> ask(const vault::Record& record) const {
        return host.control().witness(witness.id(), vault::encode(record));
    }

    TestTrust owner{"Owner"};
    TestTrust host{"Host"};
    TestTrust witness{"Witness"};
    WitnessPerson ada{"Ada", vault::SigningKey::make(vault::system_random())};
    WitnessPerson ben{"Ben", vault::SigningKey::make(vault::system_random())};
};

/// A certificate of the owner's, an hour old.
Buffer certificate_of(const TestTrust& owner, const WitnessPerson& person,
                      std::vector<vault::Role> roles);

}  // namespace holdfast::replicator::test
