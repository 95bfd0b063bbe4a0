#include "replicator/http/client.h"
#include "replicator/http/easy.h"

namespace holdfast::replicator {

struct SyncClient::State {
    std::optional<TlsIdentity> identity;
    CurlEasy easy;  // Kept for its connections.
};

SyncClient::SyncClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
SyncClient::SyncClient(SyncClient&&) noexcept = default;
SyncClient& SyncClient::operator=(SyncClient&&) noexcept = default;
SyncClient::~SyncClient() = default;

Result<SyncClient> SyncClient::make(const TlsIdentity* identity) {
    HF_TRY(start_curl());
    auto state = std::make_unique<State>();
    if (identity != nullptr) state->identity = identity->copy();
    state->easy.reset(curl_easy_init());
    if (!state->easy) return Error{Errc::Io, "start a libcurl transfer"};
    return SyncClient(std::move(state));
}

Result<HttpReply> SyncClient::request(const HttpPeer& peer, ClientRequest request,
                                      Callback<Flow(View)> piece) {
    curl_easy_reset(state_->easy.get());
    EasyTransfer transfer(peer, std::move(request),
                          state_->identity ? &*state_->identity : nullptr);
    transfer.blocking = true;
    transfer.on_piece = std::move(piece);
    HF_TRY(transfer.prepare(state_->easy.get()));
    return transfer.result(curl_easy_perform(state_->easy.get()));
}

Result<HttpReply> SyncClient::get(const HttpPeer& peer, const std::string& path) {
    ClientRequest request;
    request.path = path;
    return this->request(peer, std::move(request));
}

Result<HttpReply> SyncClient::post(const HttpPeer& peer, const std::string& path,
                                   std::string_view json) {
    ClientRequest request;
    request.method = "POST";
    request.path = path;
    request.headers = {{"content-type", "application/json"}};
    request.body.assign(json.begin(), json.end());
    return this->request(peer, std::move(request));
}

}  // namespace holdfast::replicator
