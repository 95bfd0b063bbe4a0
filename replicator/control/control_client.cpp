#include "replicator/control/control_client.h"

#include "vault/base/file.h"

namespace holdfast::replicator {

Result<ControlClient> ControlClient::make(const std::string& run_folder,
                                          std::uint32_t idle_ms_max) {
    HttpPeer peer;
    peer.base_url = "http://localhost";
    peer.unix_socket = run_folder + "/replicator.sock";
    return ControlClient(std::move(peer), HF_TRY(SyncClient::make(nullptr)), idle_ms_max);
}

Result<Buffer> ControlClient::ask(const char* method, const std::string& path, View body) {
    const bool there = path_exists(peer_.unix_socket);
    ClientRequest request;
    request.method = method;
    request.path = path;
    request.body.assign(body.begin(), body.end());
    request.reply_bytes_max = proxied_bytes_max;
    request.idle_ms_max = idle_ms_max_;
    auto reply = client_.request(peer_, std::move(request));
    if (!reply && (!there || reply.error().code == Errc::Unreachable)) {
        return Error{Errc::Unreachable, "holdfast node is not running (holdfast node run): " +
                                            peer_.unix_socket + " does not answer"};
    }
    if (!reply) return std::move(reply).error();
    if (!reply->ok()) return error_from(reply->status, reply->body);
    return std::move(reply->body);
}

Result<std::string> ControlClient::invite() {
    return parse_text(HF_TRY(ask("POST", "/invite")), "invitation", invitation_bytes_max);
}

Result<PartnerInfo> ControlClient::accept(const std::string& invitation) {
    return parse_partner(
        HF_TRY(ask("POST", "/accept", as_view(encode_text("invitation", invitation)))));
}

Result<std::vector<PartnerInfo>> ControlClient::partners() {
    return parse_partners(HF_TRY(ask("GET", "/partners")));
}

Result<PartnerInfo> ControlClient::find_partner(const std::string& text) {
    std::vector<PartnerInfo> found;
    for (PartnerInfo& one : HF_TRY(partners())) {
        const bool by_id = text.size() >= 4 && one.trust.hex().starts_with(text);
        if (by_id || one.name == text) found.push_back(std::move(one));
    }
    if (found.size() == 1) return std::move(found.front());
    if (found.empty()) {
        return Error{Errc::NotFound,
                     "no partner \"" + text + "\" (holdfast partner list shows them)"};
    }
    return Error{Errc::Invalid, "several partners are called \"" + text + "\": give the id"};
}

Result<vault::Roster> ControlClient::partner_roster(const TrustId& partner) {
    const Buffer body = HF_TRY(ask("GET", "/partners/" + partner.hex() + "/rosters"));
    return vault::newest_roster(HF_TRY(parse_roster_chain(body)).rosters, partner);
}

Result<PartnerInfo> ControlClient::confirm(const TrustId& partner) {
    return parse_partner(
        HF_TRY(ask("POST", "/confirm", as_view(encode_text("partner", partner.hex())))));
}

Result<std::vector<HeldAgreement>> ControlClient::agreements(const TrustId& partner) {
    return parse_agreements(HF_TRY(ask("GET", "/agreements?partner=" + partner.hex())));
}

Result<AgreementStored> ControlClient::put_agreement(View object) {
    return parse_agreement_stored(HF_TRY(ask("POST", "/agreements", object)));
}

Result<void> ControlClient::put_paper(const TrustId& partner, View object) {
    HF_TRY(ask("POST", "/papers?partner=" + partner.hex(), object));
    return {};
}

Result<std::vector<std::uint64_t>> ControlClient::replicate(const std::optional<TrustId>& partner) {
    const std::string which = partner ? "?partner=" + partner->hex() : std::string();
    return parse_ids(HF_TRY(ask("POST", "/replicate" + which)));
}

Result<std::vector<TransferInfo>> ControlClient::transfers() {
    return parse_transfers(HF_TRY(ask("GET", "/replicate")));
}

Result<std::vector<ReceiptInfo>> ControlClient::receipts(const TrustId& partner) {
    return parse_receipts(HF_TRY(ask("GET", "/receipts?partner=" + partner.hex())));
}

Result<std::vector<HostedInfo>> ControlClient::hosted() {
    return parse_hosted(HF_TRY(ask("GET", "/hosted")));
}

Result<RelayReport> ControlClient::relays() {
    return parse_relay_report(HF_TRY(ask("GET", "/relays")));
}

Result<std::vector<WitnessSet>> ControlClient::witnesses(const TrustId& owner) {
    return parse_witness_sets(HF_TRY(ask("GET", "/witnesses/" + owner.hex())));
}

Result<WitnessReply> ControlClient::witness(const TrustId& witness, View holder) {
    return parse_witness_reply(
        HF_TRY(ask("POST", "/witnesses/" + witness.hex() + "/holders", holder)));
}

Result<Buffer> ControlClient::newest_at(const TrustId& witness, const TrustId& owner,
                                        const std::string& system) {
    return parse_record_body(HF_TRY(
        ask("GET", "/witnesses/" + witness.hex() + "/holders/" + owner.hex() + "/" + system)));
}

Result<std::string> ControlClient::get_at(const TrustId& partner, const std::string& path) {
    return std::string(as_text(HF_TRY(ask("GET", "/partner/" + partner.hex() + "/" + path))));
}

Result<std::string> ControlClient::post_at(const TrustId& partner, const std::string& path,
                                           std::string_view json) {
    const std::string at = "/partner/" + partner.hex() + "/" + path;
    return std::string(as_text(HF_TRY(ask("POST", at, as_view(json)))));
}

Result<PeerStatus> ControlClient::status_at(const TrustId& partner) {
    return parse_peer_status(HF_TRY(ask("GET", "/partner/" + partner.hex() + "/status")));
}

Result<std::vector<Buffer>> ControlClient::papers_at(const TrustId& partner) {
    return parse_records(HF_TRY(ask("GET", "/partner/" + partner.hex() + "/papers")));
}

Result<std::unique_ptr<PartnerStore>> ControlClient::store_at(const TrustId& partner) const {
    PartnerStoreSettings settings;
    settings.peer = peer_;
    settings.path = "/partner/" + partner.hex() + "/objects";
    return PartnerStore::make(std::move(settings));
}

}  // namespace holdfast::replicator
