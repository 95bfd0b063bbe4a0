// Releasing: how an owner's node makes a release (vault/keys/release.h) of one snapshot.
//
// Which keys the host will need is found by reading as the host will: the snapshot's own ledger
// entry, its manifest, the directories of the packs on its list; and then all segments of these
// packs. So a pack that is shared with another snapshot is opened whole; another snapshot's entry,
// and with it what it is, is not.
#pragma once

#include "agent/node/node.h"
#include "vault/keys/release.h"

#include <string>

namespace holdfast::agent {

constexpr std::int64_t release_days_default = 7;
constexpr std::int64_t release_days_max = 366;

struct ReleaseOrder {
    TrustId host;
    PublicKey host_key;  // The box key of the host's node.
    std::string system;
    std::string snapshot;  // The beginning of its id, at least 4 digits.
    std::string purpose;
    std::int64_t until_ms = 0;
};

/// The record bears this node's signature alone: two persons must add theirs.
/// Errors: NotFound (the snapshot), Invalid (another system's; no purpose; no end date),
/// Locked (a system in locked mode: this node cannot open it; the host can, by custodians' shares),
/// Corrupt, Full, Io.
Result<vault::NewRelease> make_release(const Node& node, const ReleaseOrder& order,
                                       const Clock& clock);

/// A release as a file to be carried between people: {"release": base64, "keys": base64}.
std::string release_text(const vault::NewRelease& release);
/// Errors: Invalid.
Result<vault::NewRelease> parse_release_text(std::string_view text);
constexpr std::size_t release_text_bytes_max = 20 << 20;

/// "epr, the snapshot of 2026-11-25 09:00:00, to …, until …, for …": what a person signs.
/// Errors: Corrupt, Denied (for another host than the record says).
Result<std::string> release_sentence(const vault::Record& record);

}  // namespace holdfast::agent
