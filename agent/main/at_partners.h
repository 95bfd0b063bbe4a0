// At partners: what the replicator says of this trust's systems at its partners, and of theirs
// here: where copies stand and how far that is proven, where users are led, what is kept for whom.
#pragma once

#include "agent/config/home.h"
#include "replicator/control/control_client.h"
#include "vault/base/json.h"
#include "vault/vault_reader.h"

#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {

class AtPartners {
public:
    /// Asks the replicator, once. If it does not answer, all of it is unknown, and said to be;
    /// never an error. A node without a link has no partners.
    static AtPartners ask(const Home& home);

    /// Adds to a system's status:
    /// "copies"   {"place", "trust", "snapshot", "snapshot_ms", "proven", "receipt_ms"} of each,
    /// this
    ///            vault first. "proven" is "stored" (here), "receipted" (a partner signed that it
    ///            holds it), or "none": a partner with an agreement that has receipted no snapshot
    ///            of this system yet
    /// "relays"   {"endpoint", "listen", "place", "listening", "problem", "open"} of each; missing:
    ///            unknown
    /// "unknown"  the reason, if there is one
    void add_to(Json& system, const std::string& own_name, const TrustId& own,
                const vault::VaultReader& reader) const;

    /// {"owner", "trust", "bytes", "quota_bytes", "problem"} of each partner for whom something is
    /// kept here, or may be; null: unknown. "bytes" is missing where it is.
    Json hosted() const;

private:
    struct Place {
        replicator::PartnerInfo partner;
        std::map<ListId, std::int64_t> receipts;  // When each was given.
    };

    Result<void> ask_replicator(const Home& home);
    Json copies_of(const std::string& system, const std::string& own_name, const TrustId& own,
                   const vault::VaultReader& reader) const;
    Json relays_of(const std::string& system) const;

    std::vector<Place> places_;
    std::vector<replicator::RelayInfo> relays_;
    std::vector<replicator::HostedInfo> hosted_;
    std::string unknown_;
};

}  // namespace holdfast::agent
