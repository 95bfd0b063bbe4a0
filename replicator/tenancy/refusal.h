// Refusals: the stable codes of the peer API (docs/peer-api.yaml), as Errors.
//
// The code is the first word of the message, on both sides of the network: error_from() puts it
// there too. So a caller may ask is_refusal() without knowing where the Error was made.
#pragma once

#include "replicator/http/message.h"

#include <string>

namespace holdfast::replicator {

enum class Refusal {
    BadRange,
    BadToken,
    BaseMissing,
    Busy,
    DomainMissing,
    EntryMissing,
    EpochMissing,
    Fork,
    ListMissing,
    MayNotRun,
    NoAgreement,
    NotItsName,
    NotYours,
    OverDaily,
    OverQuota,
    PacksMissing,
    StaleRoster,
    TermOld,
    TermTaken,
    TooLong,
    TooManyRuns,
    UnknownPeer,
};

Error refuse(Refusal refusal, const std::string& message);

bool is_refusal(const Error& error, Refusal refusal);

/// With the refusal's status and code if it is one; else as error_response().
HttpResponse refusal_response(const Error& error);

}  // namespace holdfast::replicator
