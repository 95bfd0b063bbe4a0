// Epoch: a domain's two random keys for at most a day (docs/vault-format.md, 5).
//
// The epoch object carries them wrapped. Its name commits to both keys, so it needs no signature:
// what opens and matches its hash is the key. `created` is not covered by the name and is told,
// not proven. An unkeyed check at the end finds bit rot in wraps that nobody opens for years.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/keys.h"

#include <cstdint>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t epoch_recipients_max = 16;
constexpr std::size_t epoch_wrapped_max = 256;
constexpr std::size_t epoch_object_max = 8_KiB;

/// An epoch as far as its keys are known here: a secret that is not known is empty.
struct Epoch {
    EpochId id;
    DomainId domain;
    std::int64_t created = 0;
    Secret content;
    Secret map;
};

/// What a recipient's wrapped key is. Other numbers are kept and left alone.
enum class EpochRole : std::uint8_t { ContentForOpening = 1, MapForOpening = 2, MapForNode = 3 };

struct EpochRecipient {
    std::uint8_t role = 0;
    std::uint8_t algorithm = 0;  // 1: wrap(). Others are for readers to come.
    PublicKey key;
    Buffer wrapped;
};

/// An epoch object, parsed, nothing opened.
struct EpochInfo {
    EpochId id;
    DomainId domain;
    std::int64_t created = 0;
    Digest content_hash;
    Digest map_hash;
    std::vector<EpochRecipient> recipients;
};

struct NewEpoch {
    Epoch epoch;
    Buffer object;
};

/// Draws both keys and wraps them: content and map for `opening`, map for each of `nodes` (box
/// keys, at most 14).
NewEpoch make_epoch(const DomainId& domain, const PublicKey& opening,
                    const std::vector<PublicKey>& nodes, std::int64_t now_ms, Random& random);

/// Errors: Corrupt (damaged, over a limit, or not the epoch that `expected` names).
Result<EpochInfo> parse_epoch(View object, const EpochId& expected);

/// Opens what these keys can open; either may be null. A key that is not among the recipients
/// opens nothing, which is no failure.
/// Errors: Corrupt (a wrapped key for one of them does not open, or is not what the name promises,
/// and no other gave it).
Result<Epoch> open_epoch(const EpochInfo& info, const BoxKey* opening, const BoxKey* node_box);

/// The same epoch wrapped anew: after a rotation of the opening key or a change of nodes. Both
/// secrets must be known.
Buffer encode_epoch(const Epoch& epoch, const PublicKey& opening,
                    const std::vector<PublicKey>& nodes);

}  // namespace holdfast::vault
