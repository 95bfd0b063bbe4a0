// OwnNode: this node as the replicator knows it: its keys for the link, and where its own vault is,
// which it reads and never writes. The vault may be lost: the node goes on keeping others' data.
#pragma once

#include "replicator/http/tls.h"
#include "vault/keys/roster.h"
#include "vault/store/posix_store.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

/// What the command line says.
struct ReplicatorSettings {
    std::string vault;  // Folders.
    std::string tenants;
    std::string state;
    std::string keys;
    std::string run;
    TrustId trust;
    std::string name;                        // This node's, as in the roster.
    std::string listen;                      // ADDRESS:PORT for partners; empty: none can call.
    std::string address;                     // HOST:PORT that partners dial; empty: no invitations.
    std::uint64_t bytes_per_second_max = 0;  // Of a transfer to one partner; 0: none.
};

struct OwnNode {
    TrustId trust;
    std::string name;
    std::string address;
    vault::SigningKey link;
    TlsIdentity tls;
    std::string vault;  // Its folder.

    /// Reads KEYS/link.key. Errors: NotFound, Corrupt, Denied, Io.
    static Result<OwnNode> open(const ReplicatorSettings& settings);
};

/// All rosters of a vault; the newest is vault::newest_roster(). Errors: Io, Unreachable.
Result<std::vector<Buffer>> rosters_in(const vault::Store& store);

}  // namespace holdfast::replicator
