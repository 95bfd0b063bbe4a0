// May sign: who writes a trust's ledger.
#pragma once

#include "vault/keys/roster.h"
#include "vault/ledger/chain.h"

namespace holdfast::vault {

/// The nodes of `roster`, which outlives it; revoked ones too: what a node wrote while it was
/// trusted stays.
inline MaySign nodes_may_sign(const Roster& roster) {
    return [&roster](const Envelope& envelope) {
        return roster.node_by_ledger_key(envelope.signer) != nullptr;
    };
}

}  // namespace holdfast::vault
