// Introduction: a call to a partner that may not know yet why we may ask: it is refused once,
// brought our rosters and the agreements that name it as witness, and asked again.
//
// Made on the loop thread; called on a worker.
#pragma once

#include "replicator/peer/peer_api.h"
#include "replicator/peer/peer_end.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

struct Introduction {
    PeerEnd end;
    TlsIdentity identity;
    std::vector<Buffer> rosters;
    std::vector<Buffer> agreements;
};

/// Errors: as peer_end(), Io, Corrupt.
Result<Introduction> introduction_to(const Core& core, const Partner& partner);

/// Any status is a reply. Errors: Unreachable, Denied (another TLS key).
Result<HttpReply> call_introduced(const Introduction& introduction, const char* method,
                                  const std::string& path, View body);

}  // namespace holdfast::replicator
