// Custody: a secret shared out among people, and brought together again.
//
// The recovery secret is in custody under a record that the trust key signs (docs/vault-format.md,
// 3); an envelope's secret in just the same way (envelope.h). Each share is wrapped for its
// custodian, and a check value beside it tells a wrong share by its holder's name. An opened share
// travels to the node that combines them wrapped for that node's box key, with a header that
// says of what it is a share; the wrapping covers the header.
#pragma once

#include "vault/crypto/shares.h"
#include "vault/keys/roster.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t handed_share_bytes_max = 512;

struct Custodian {
    std::string name;
    PublicKey key;  // X25519; its secret is in a key file (locked_file.h).
};

struct CustodyShare {
    std::string custodian;
    PublicKey key;
    std::uint8_t number = 0;
    Buffer wrapped;
    Digest check;  // H("custody share check", share)
};

/// What was split, of how many shares how many are needed, and the shares.
struct ShareSet {
    TrustId trust;
    Digest of;  // Zeros: the recovery secret; else an envelope's id.
    std::uint8_t threshold = 0;
    std::vector<CustodyShare> shares;
};

struct OpenedShare {
    TrustId trust;
    Digest of;
    std::uint8_t threshold = 0;
    Share share;
};

/// Splits `secret` (32 bytes), one share for each custodian.
/// Errors: Invalid (not 2 ≤ threshold ≤ custodians ≤ 32, or a custodian twice).
Result<ShareSet> share_out(const TrustId& trust, const Digest& of, const Secret& secret,
                           const std::vector<Custodian>& custodians, std::size_t threshold);

/// A custodian opens the own share. Errors: NotFound (this key has none), Corrupt.
Result<OpenedShare> open_share(const ShareSet& set, const BoxKey& custodian);

/// For the way to the node with box key `recipient`.
Buffer hand_over(const OpenedShare& share, const PublicKey& recipient);

/// Errors: Corrupt (not for this key, or altered on the way).
Result<OpenedShare> receive_share(View handed, const BoxKey& recipient);

/// Checks a share before it is counted. Errors: Denied (of another secret or trust), Corrupt (it is
/// not the share that was given out; the message names its holder), NotFound (no such number).
Result<void> check_share(const ShareSet& set, const OpenedShare& share);

/// The secret, from those of `shares` that pass check_share().
/// Errors: Locked (too few; the message says which are wrong and who may still be asked).
Result<Secret> combine(const ShareSet& set, const std::vector<OpenedShare>& shares);

/// A custody record.
struct Custody {
    std::uint64_t number = 0;
    std::int64_t time = 0;
    ShareSet set;
};

/// Splits the recovery secret and signs the record with the trust key of `roster`. The highest
/// number holds; after a handover of the trust key it is made anew.
/// Errors: Invalid (see share_out).
Result<Buffer> make_custody(const Roster& roster, std::uint64_t number, const BoxKey& recovery,
                            const std::vector<Custodian>& custodians, std::size_t threshold,
                            const SigningKey& trust_key, std::int64_t now_ms);

/// Errors: Corrupt, Denied (not signed by the trust key of `roster`).
Result<Custody> parse_custody(View object, const Roster& roster);

/// The recovery key, from enough shares. Errors: Locked (see combine), Denied (they give a key that
/// is not the roster's recovery key).
Result<BoxKey> recover(const Custody& custody, const Roster& roster,
                       const std::vector<OpenedShare>& shares);

}  // namespace holdfast::vault
