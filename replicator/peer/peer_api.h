// PeerApi: the answering side of docs/peer-api.yaml.
//
// Every route but /pair, /return and PUT /roster asks first for whom the TLS key speaks. What a
// partner sends is checked before anything is stored. Thread rule: the loop thread; file work runs
// on the pool. The pool must go before it, the server too.
#pragma once

#include "replicator/http/router.h"
#include "replicator/peer/own_node.h"
#include "replicator/peer/own_rosters.h"
#include "replicator/peer/tenancies.h"
#include "vault/crypto/merkle.h"

#include <list>
#include <memory>

namespace holdfast::replicator {

/// What all parts of a replicator share. All outlive whoever is given them.
struct Core {
    Loop& loop;
    WorkerPool& pool;
    const OwnNode& own;
    OwnRosters& own_rosters;
    Partners& partners;
    Promises& promises;
    Tenancies& tenancies;
    const Clock& clock;
};

/// The partner for whom the caller's TLS key speaks. Errors: Refusal::UnknownPeer.
Result<const Partner*> peer_of(const Core& core, const HttpRequest& request);

class PeerApi {
public:
    explicit PeerApi(const Core& core) : core_(core) {}

    void add_routes(Router& router);

    /// The partner for whose own tenancy here the caller's key speaks. Errors:
    /// Refusal::UnknownPeer, Refusal::NotYours.
    Result<const Partner*> owner_of(const HttpRequest& request) const;

private:
    struct LeafHashes {
        PackId pack;
        std::shared_ptr<const std::vector<Digest>> leaves;  // Jobs read it while it may be dropped.
    };

    // Who asks.
    Result<const Partner*> peer_of(const HttpRequest& request) const {
        return replicator::peer_of(core_, request);
    }
    Result<Terms> terms_for(const Partner& owner) const;
    template <class Work, class Answer>
    void on_tenancy(const HttpRequest& request, Responder respond, Work work, Answer answer);

    void add_partner_routes(Router& router);
    void pair(const HttpRequest& request, Responder respond);
    void come_back(const HttpRequest& request, Responder respond);
    void put_roster(const HttpRequest& request, Responder respond);
    Result<std::string> own_rosters() const;
    Result<std::string> put_agreement(const HttpRequest& request);
    Result<vault::Roster> roster_of(const TrustId& trust) const;
    Result<std::string> agreements(const HttpRequest& request);

    void add_tenancy_routes(Router& router);
    void status(const HttpRequest& request, Responder respond);
    void list(const HttpRequest& request, Responder respond);
    void have(const HttpRequest& request, Responder respond);
    void receipt(const HttpRequest& request, Responder respond);
    void put_paper(HttpRequest request, Responder respond);
    void papers(const HttpRequest& request, Responder respond);

    void put_object(const HttpRequest& request, BodyReader body, Responder respond);
    void put_small(const Partner& owner, const HttpRequest& request, BodyReader body,
                   Responder respond, const Terms& terms);
    void put_pack(const Partner& owner, const PackId& id, BodyReader body, Responder respond,
                  const Terms& terms);
    void finish_put(const TrustId& owner, Result<Stored> stored,
                    const std::optional<vault::ChainHead>& head, Responder respond);

    void get_object(const HttpRequest& request, Responder respond);
    void get_leaves(const std::string& vault_folder, const std::string& name,
                    const std::string& range, Responder respond);
    std::shared_ptr<const std::vector<Digest>> known_leaves(const PackId& pack);
    void remember_leaves(LeafHashes hashes);

    Core core_;
    std::list<LeafHashes> leaves_;  // The most recently used first.
};

}  // namespace holdfast::replicator
