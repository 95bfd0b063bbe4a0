// Copies: where each system's newest snapshot stands, and how far that is proven.
#pragma once

#include "agent/config/home.h"
#include "replicator/control/control_client.h"
#include "vault/base/json.h"
#include "vault/vault_reader.h"

#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {

class Copies {
public:
    /// Asks the replicator for partners and receipts, once. If that does not answer, what stands at
    /// partners is unknown, and said to be; never an error.
    static Copies ask(const Home& home);

    /// Adds to a system's status: "copies", a list of {"place", "trust", "snapshot", "snapshot_ms",
    /// "proven", "receipt_ms"}, this vault first, and "unknown", the reason, if there is one.
    /// "proven" is "stored" (here), "receipted" (a partner signed that it holds it), or "none": a
    /// partner with an agreement that has receipted no snapshot of this system yet.
    void add_to(Json& system, const std::string& own_name, const TrustId& own,
                const vault::VaultReader& reader) const;

private:
    struct Place {
        replicator::PartnerInfo partner;
        std::map<ListId, std::int64_t> receipts;  // When each was given.
    };

    static Result<std::vector<Place>> places_of(const Home& home);

    std::vector<Place> places_;
    std::string unknown_;
};

}  // namespace holdfast::agent
