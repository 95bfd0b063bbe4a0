#include "replicator/peer/peer_client.h"

namespace holdfast::replicator {
namespace {

// A host may have to read a long list's packs' lengths before it answers.
constexpr std::uint32_t idle_ms_max = 120'000;

Stored stored_by(const HttpReply& reply) {
    return reply.status == 201 ? Stored::New : Stored::Was;
}

/// A partner that does not keep to the API is not the operator's mistake.
template <class T>
Result<T> as_answer(Result<T> parsed) {
    if (parsed) return parsed;
    return Error{Errc::Corrupt, "the partner's answer: " + parsed.error().message};
}

}  // namespace

PeerClient::PeerClient(PeerEnd end, SyncClient client)
    : end_(std::move(end)), client_(std::move(client)) {
    peer_.base_url = "https://" + end_.address;
    peer_.key = end_.key;
}

Result<PeerClient> PeerClient::make(PeerEnd end, const TlsIdentity& identity) {
    return PeerClient(std::move(end), HF_TRY(SyncClient::make(&identity)));
}

std::string PeerClient::own_path(const std::string& rest) const {
    return "/trusts/" + end_.own.hex() + rest;
}

Result<HttpReply> PeerClient::call(ClientRequest request) {
    request.idle_ms_max = idle_ms_max;
    request.reply_bytes_max = wire_body_bytes_max;
    request.bytes_per_second_max = end_.bytes_per_second_max;
    return client_.request(peer_, std::move(request)).within("partner at " + end_.address);
}

Result<HttpReply> PeerClient::ask(ClientRequest request) {
    HttpReply reply = HF_TRY(call(std::move(request)));
    if (!reply.ok()) return error_from(reply.status, reply.body);
    return reply;
}

Result<HttpReply> PeerClient::exchange(const char* method, const std::string& path, View body) {
    ClientRequest request;
    request.method = method;
    request.path = path;
    request.body.assign(body.begin(), body.end());
    return call(std::move(request));
}

Result<HttpReply> PeerClient::get(const std::string& path) {
    ClientRequest request;
    request.path = path;
    return ask(std::move(request));
}

Result<HttpReply> PeerClient::send(const char* method, const std::string& path, View body) {
    ClientRequest request;
    request.method = method;
    request.path = path;
    request.body.assign(body.begin(), body.end());
    return ask(std::move(request));
}

Result<RosterChain> PeerClient::pair(const PairCall& call) {
    const HttpReply reply = HF_TRY(send("POST", "/pair", as_view(encode(call))));
    return as_answer(parse_roster_chain(reply.body));
}

Result<RosterChain> PeerClient::come_back(View return_order) {
    const HttpReply reply = HF_TRY(send("POST", "/return", return_order));
    return as_answer(parse_roster_chain(reply.body));
}

Result<RosterChain> PeerClient::rosters() {
    const HttpReply reply = HF_TRY(get("/roster"));
    return as_answer(parse_roster_chain(reply.body));
}

Result<void> PeerClient::put_rosters(const std::vector<Buffer>& rosters) {
    HF_TRY(send("PUT", "/roster", as_view(encode(RosterChain{end_.own, rosters}))));
    return {};
}

Result<std::vector<Buffer>> PeerClient::agreements() {
    const HttpReply reply = HF_TRY(get("/agreements"));
    return as_answer(parse_records(reply.body));
}

Result<void> PeerClient::put_agreement(View object) {
    HF_TRY(send("POST", "/agreements", object));
    return {};
}

Result<PeerStatus> PeerClient::status() {
    const HttpReply reply = HF_TRY(get(own_path("/status")));
    PeerStatus status = HF_TRY(as_answer(parse_peer_status(reply.body)));
    if (status.trust == end_.own) return status;
    return Error{Errc::Corrupt, "the partner's answer: a status of another trust"};
}

Result<std::vector<std::string>> PeerClient::missing(const std::vector<std::string>& names) {
    const HttpReply reply =
        HF_TRY(send("POST", own_path("/have"), as_view(encode_names("names", names))));
    return as_answer(parse_names(reply.body, "missing", wire_names_max));
}

Result<Stored> PeerClient::put(const std::string& name, View object) {
    return stored_by(HF_TRY(send("PUT", own_path("/objects/" + name), object)));
}

Result<Stored> PeerClient::put_given_up(const std::string& entry, View object) {
    return stored_by(HF_TRY(send("PUT", own_path("/objects/" + entry) + "?list=given_up", object)));
}

Result<Buffer> PeerClient::receipt(const ListId& list) {
    return HF_TRY(send("POST", own_path("/receipt"), as_view(encode_list_question(list)))).body;
}

Result<Stored> PeerClient::put_paper(View object) {
    return stored_by(HF_TRY(send("POST", own_path("/papers"), object)));
}

Result<std::vector<Buffer>> PeerClient::papers() {
    const HttpReply reply = HF_TRY(get(own_path("/papers")));
    return as_answer(parse_records(reply.body));
}

}  // namespace holdfast::replicator
