// Holder: who may write a system, term by term.
//
// A holder record is what a failover's order becomes. Its body is made when the copy has been
// proven, so that whoever signs knows what they approve; two persons of the owner's sign it; with
// the host's own signature it is the term. It is addressed to everyone, its number is the term.
//
//     {"owner", "system", "term", "host", "node", "run", "snapshot", "snapshot_ms", "plan",
//      "previous": H("holder", body of the term before), zeros for the first}
#pragma once

#include "vault/base/units.h"
#include "vault/keys/record.h"
#include "vault/keys/roster.h"

#include <cstdint>
#include <string>

namespace holdfast::replicator {

constexpr std::size_t holder_bytes_max = 16_KiB;
constexpr std::uint64_t term_max = 1'000'000'000;

struct Holder {
    TrustId owner;
    std::string system;
    std::uint64_t term = 0;
    TrustId host;
    std::string node;
    std::string run;
    std::string snapshot;  // Hexadecimal.
    std::int64_t snapshot_ms = 0;
    std::string plan;
    Digest previous;
};

/// Unsigned.
vault::Record holder_record(const Holder& holder);
/// Errors: Corrupt, Denied (of another type). Who signed is the caller's to ask.
Result<Holder> parse_holder(const vault::Record& record);
/// What an attestation, a witness and the next term name it by.
Digest holder_digest(const vault::Record& record);

/// That the node which it names has signed it. Errors: Denied.
Result<void> check_host_signed(const vault::Record& record, const Holder& holder,
                               const vault::Roster& host);

}  // namespace holdfast::replicator
