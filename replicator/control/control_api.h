// ControlApi: what the agent and the CLI ask of the replicator, over HOME/run/replicator.sock.
//
//     POST /invite                       {"invitation"}
//     POST /accept {"invitation"}        the partner; its words are to be compared
//     GET  /partners                     all, with words, agreements in force, newest receipt
//     GET  /partners/{trust}/rosters     as GET /roster of docs/peer-api.yaml
//     POST /confirm {"partner"}          people have compared the words
//     GET  /agreements?partner=          all with that partner
//     POST /agreements                   a signed record; stored, then brought to the partner
//     POST /papers?partner=              a record of type person, envelope, custody; brought at
//                                        once
//     POST /replicate?partner=           202; without partner: to all with an agreement
//     GET  /replicate                    transfers, the newest first
//     GET  /receipts?partner=            what it receipted to us
//     GET  /hosted                       what we keep for partners (hosted.h)
//     GET  /partner/{trust}/{rest...}    GET /trusts/OWN/{rest} at the partner, over our link key
//     POST /partner/{trust}/runs         the same for an order; who asked is added, by the socket
//     POST /partner/{trust}/runs/{run}/{call}   and for what run_wire.h names
//
// Whoever may open the socket may ask all of this; nothing here needs or shows a key.
//
// Thread rule: the loop thread.
#pragma once

#include "replicator/control/control_wire.h"
#include "replicator/control/transfers.h"
#include "replicator/http/client.h"

namespace holdfast::replicator {

class ControlApi {
public:
    /// `calls` runs short blocking calls to partners.
    ControlApi(const Core& core, Transfers& transfers, WorkerPool& calls, HttpClient& client)
        : core_(core), transfers_(&transfers), calls_(&calls), client_(&client) {}

    void add_routes(Router& router);

private:
    using Answer = Result<HttpResponse>;

    Answer invite();
    void accept(const HttpRequest& request, Responder respond);
    Answer accepted(const Invitation& invitation, const RosterChain& chain);
    Answer partners();
    Answer partner_rosters(const HttpRequest& request);
    Answer confirm(const HttpRequest& request);
    Answer agreements(const HttpRequest& request);
    void put_agreement(HttpRequest request, Responder respond);
    void put_paper(HttpRequest request, Responder respond);
    Answer replicate(const HttpRequest& request);
    Answer receipts(const HttpRequest& request);
    void proxy(const HttpRequest& request, Responder respond);
    void order_run(const HttpRequest& request, Responder respond);
    void call_run(const HttpRequest& request, Responder respond);
    void ask_partner(const std::string& trust, ClientRequest ask, Responder respond);

    Result<PartnerInfo> info_of(const Partner& partner);
    Result<const Partner*> partner_in(const HttpRequest& request) const;

    Core core_;
    Transfers* transfers_;
    WorkerPool* calls_;
    HttpClient* client_;
};

}  // namespace holdfast::replicator
