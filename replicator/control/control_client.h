// ControlClient: the replicator's control socket (control_api.h) as the CLI and the agent see it.
//
// Blocking; one thread at a time. Errors of all calls: Unreachable (the node is not running; the
// message says how to start it), and what the replicator answered.
#pragma once

#include "replicator/control/control_wire.h"
#include "replicator/control/hosted.h"
#include "replicator/http/client.h"
#include "replicator/peer/partner_store.h"
#include "replicator/peer/wire.h"
#include "replicator/relay/relay_wire.h"
#include "replicator/witness/witness_wire.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::replicator {

class ControlClient {
public:
    /// `run_folder` holds replicator.sock. An answer takes `idle_ms_max` at most; those that ask a
    /// partner need long. Errors: Io.
    static Result<ControlClient> make(const std::string& run_folder,
                                      std::uint32_t idle_ms_max = 180'000);

    /// The text of a new invitation.
    Result<std::string> invite();
    Result<PartnerInfo> accept(const std::string& invitation);
    Result<std::vector<PartnerInfo>> partners();
    /// By id, the beginning of an id, or name. Errors: NotFound, Invalid (ambiguous).
    Result<PartnerInfo> find_partner(const std::string& text);
    Result<vault::Roster> partner_roster(const TrustId& partner);
    Result<PartnerInfo> confirm(const TrustId& partner);

    Result<std::vector<HeldAgreement>> agreements(const TrustId& partner);
    /// A record with the signature of an officer of ours (agreement.h).
    Result<AgreementStored> put_agreement(View object);
    Result<void> put_paper(const TrustId& partner, View object);

    /// The ids of the transfers started. None: to all partners with an agreement.
    Result<std::vector<std::uint64_t>> replicate(const std::optional<TrustId>& partner);
    Result<std::vector<TransferInfo>> transfers();
    Result<std::vector<ReceiptInfo>> receipts(const TrustId& partner);

    /// What we keep for partners.
    Result<std::vector<HostedInfo>> hosted();

    /// Where users of ours are led, and how that goes.
    Result<RelayReport> relays();

    /// Who must witness terms of `owner` that are taken here; none: no witness was named.
    Result<std::vector<WitnessSet>> witnesses(const TrustId& owner);
    /// Asks a witness to keep a holder record. Errors: also what it refused with.
    Result<WitnessReply> witness(const TrustId& witness, View holder);
    /// The newest holder record that a witness knows. Errors: NotFound (none).
    Result<Buffer> newest_at(const TrustId& witness, const TrustId& owner,
                             const std::string& system);
    /// GET or POST at a partner, below our tenancy there: "runs/7". Answers its JSON.
    Result<std::string> get_at(const TrustId& partner, const std::string& path);
    Result<std::string> post_at(const TrustId& partner, const std::string& path,
                                std::string_view json);

    /// Our tenancy at a partner, from there.
    Result<PeerStatus> status_at(const TrustId& partner);
    Result<std::vector<Buffer>> papers_at(const TrustId& partner);
    /// Our copy at a partner, to read from.
    Result<std::unique_ptr<PartnerStore>> store_at(const TrustId& partner) const;

private:
    ControlClient(HttpPeer peer, SyncClient client, std::uint32_t idle_ms_max)
        : peer_(std::move(peer)), client_(std::move(client)), idle_ms_max_(idle_ms_max) {}

    Result<Buffer> ask(const char* method, const std::string& path, View body = {});

    HttpPeer peer_;
    SyncClient client_;
    std::uint32_t idle_ms_max_;
};

}  // namespace holdfast::replicator
