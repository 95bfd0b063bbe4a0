// Push: brings what this trust's vault holds to one partner.
//
//   rosters, agreements -> domains, custody, epochs -> for each ledger entry that the partner
//   lacks, in the order of its chain: packs (several at once), list with its bases, entry ->
//   receipts
//
// A partner that lags so far behind that entries which it lacks are carried over and erased here
// (vault/ledger/carry.h) gets all that stands in the carry, and its chain begins anew there.
//
// What is to do is asked of the partner each time and kept nowhere here: so a push that was killed
// or cut off at any byte is simply run again. It never overtakes: an entry goes when all that it
// stands on is there. Blocking; a thread of its own.
#pragma once

#include "replicator/agreement/receipt.h"
#include "replicator/peer/peer_client.h"
#include "vault/store/posix_store.h"

#include <atomic>
#include <cstdint>
#include <set>
#include <vector>

namespace holdfast::replicator {

/// Shared with whoever watches.
struct PushProgress {
    std::atomic<std::uint64_t> objects_done{0};
    std::atomic<std::uint64_t> objects_all{0};  // As far as is known yet.
    std::atomic<std::uint64_t> bytes_done{0};
    std::atomic<std::uint64_t> bytes_all{0};  // Of packs, as far as is known yet.
    std::atomic<std::uint64_t> entries_done{0};
    std::atomic<std::uint64_t> entries_all{0};
    std::atomic<bool> stop{false};
};

struct PushSettings {
    PeerEnd end;
    TrustId host;
    vault::Roster own_roster;
    vault::Roster host_roster;
    std::vector<Buffer> agreements;  // Ours with this partner, to be brought along.
    std::set<ListId> receipted;      // Lists whose receipts we have.
    unsigned connections = 4;
    unsigned tries_max = 6;
    std::uint64_t first_pause_ms = 500;  // Doubled with each try.
};

struct BroughtReceipt {
    Receipt receipt;
    Buffer object;
};

struct PushReport {
    std::uint64_t objects = 0;  // Brought now.
    std::uint64_t bytes = 0;
    std::vector<Buffer> host_rosters;
    std::vector<Buffer> agreements;  // As the partner has them.
    std::vector<BroughtReceipt> receipts;
};

/// `report` is filled as far as it went, also when it failed: what was learnt is to be kept.
/// Errors: Unreachable (run it again), Refusal::NoAgreement, Refusal::OverQuota and OverDaily,
/// Denied (a fork; a partner that is not who it was), Conflict (the partner has more than this
/// vault: this vault went back in time), Corrupt (this vault lacks what its ledger names),
/// Interrupted, Io.
Result<void> push(const vault::PosixStore& vault, const TlsIdentity& identity,
                  const PushSettings& settings, PushProgress& progress, PushReport& report);

}  // namespace holdfast::replicator
