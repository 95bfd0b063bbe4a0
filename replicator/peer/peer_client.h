// PeerClient: the peer API (docs/peer-api.yaml) as a caller sees it.
//
// Blocking; one thread at a time. Errors of all calls: Unreachable (no answer: retry with
// back-off), Denied (another TLS key than expected, or refused), refusals
// (replicator/tenancy/refusal.h), and Corrupt for an answer that is not what the API says.
#pragma once

#include "replicator/http/client.h"
#include "replicator/peer/wire.h"
#include "replicator/tenancy/tenancy.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

/// Whom to call, as whom.
struct PeerEnd {
    std::string address;  // HOST:PORT
    KeyHash key;          // Who must answer there.
    TrustId own;          // The calling trust.
    std::uint64_t bytes_per_second_max = 0;
};

class PeerClient {
public:
    /// `identity` outlives it. Errors: Io.
    static Result<PeerClient> make(PeerEnd end, const TlsIdentity& identity);

    /// Any status is a reply.
    Result<HttpReply> exchange(const char* method, const std::string& path, View body);

    Result<RosterChain> pair(const PairCall& call);
    Result<RosterChain> come_back(View return_order);
    Result<RosterChain> rosters();
    Result<void> put_rosters(const std::vector<Buffer>& rosters);
    Result<std::vector<Buffer>> agreements();
    Result<void> put_agreement(View object);

    Result<PeerStatus> status();
    /// At most wire_names_max names. Answers those that are not there.
    Result<std::vector<std::string>> missing(const std::vector<std::string>& names);
    Result<Stored> put(const std::string& name, View object);
    /// A ledger entry on whose list no snapshot stands any more, without it. Errors: as put().
    Result<Stored> put_given_up(const std::string& entry, View object);
    Result<Buffer> receipt(const ListId& list);
    Result<Stored> put_paper(View object);
    Result<std::vector<Buffer>> papers();

private:
    PeerClient(PeerEnd end, SyncClient client);

    std::string own_path(const std::string& rest) const;
    Result<HttpReply> call(ClientRequest request);
    Result<HttpReply> ask(ClientRequest request);
    Result<HttpReply> get(const std::string& path);
    Result<HttpReply> send(const char* method, const std::string& path, View body);

    PeerEnd end_;
    HttpPeer peer_;
    SyncClient client_;
};

}  // namespace holdfast::replicator
