// Custody files: who keeps shares, what was shared out among them, and the envelopes made for
// hosts.
//
//     HOME/people/custodians/KEY.json              {"name", "key"} of each custodian
//     HOME/people/envelopes/HOST/SYSTEM/NUMBER     envelope records, as they were made
//
// The custody record of the recovery secret is an object of the vault (docs/vault-format.md, 3).
#pragma once

#include "agent/config/home.h"
#include "agent/node/node.h"
#include "vault/keys/custody.h"
#include "vault/keys/envelope.h"
#include "vault/keys/kit.h"

#include <string>
#include <vector>

namespace holdfast::agent {

/// Sorted by name. Errors: Corrupt, Io.
Result<std::vector<vault::Custodian>> load_custodians(const Home& home);
/// Errors: Conflict (the name is taken), Full, Io.
Result<void> add_custodian(const Home& home, const vault::Custodian& custodian);

/// From then on the recovery secret is shared out without them; what they hold of it stays good.
/// Errors: NotFound, Denied, Io.
Result<void> remove_custodian(const Home& home, const std::string& name);

/// The newest custody record of the own vault. Errors: NotFound (none was made), Corrupt, Io.
Result<vault::Custody> load_custody(const Node& node);
/// The same of any store that holds the trust's objects. Errors: as above, Unreachable.
Result<vault::Custody> load_custody(const vault::Store& store, const vault::Roster& roster);

/// Shares the kit's recovery secret out among all custodians, anew. Errors: Invalid (too few
/// custodians for the threshold), Denied (the kit is another trust's), Full, Io.
Result<vault::Custody> share_recovery(const Node& node, const vault::KitSecrets& kit,
                                      std::size_t threshold, std::int64_t now_ms);

/// Whom an envelope is for.
struct EnvelopeHost {
    TrustId trust;
    PublicKey box_key;  // Of the node that would run the system.
};

/// The first active node of a host's roster. Errors: NotFound (none is active).
Result<EnvelopeHost> envelope_host(const vault::Roster& host);

/// Makes the next envelope of a system for a host, shared out among all custodians, and keeps it.
/// Errors: NotFound (the system has no snapshot yet), Locked (its opening key is not here),
/// Invalid, Full, Io.
Result<Buffer> make_host_envelope(const Node& node, const std::string& system,
                                  const EnvelopeHost& host, std::size_t threshold,
                                  std::int64_t now_ms, vault::Random& random);

/// An envelope that was made, and for whom.
struct KeptEnvelope {
    TrustId host;
    vault::SystemEnvelope envelope;
};
/// The newest of each system and host. Errors: Corrupt, Io.
Result<std::vector<KeptEnvelope>> newest_envelopes(const Node& node);

/// What a host needs of us on the day that we are gone: persons' certificates, the newest envelope
/// of each system made for it. Errors: Io.
Result<std::vector<Buffer>> papers_for(const Home& home, const TrustId& host);

constexpr std::size_t share_file_bytes_max = 16 << 10;

/// A share as people hand it on in clear (docs/vault-format.md, 3).
std::string share_json(const vault::OpenedShare& share);
/// Errors: Invalid.
Result<vault::OpenedShare> parse_share_json(std::string_view text);

}  // namespace holdfast::agent
