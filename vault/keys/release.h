// Release: the segment keys of one snapshot, for one host (design: "Keys for a host").
//
// A record of type "release", addressed to the host's trust and signed by two persons, says what
// is released to whom, what for and until when, and commits to the sealed keys, which lie beside
// it: those of a large snapshot are longer than a record may be. Who signs sees no key. The keys
// open nothing older or newer. The date ends permission, not knowledge.
//
//     sealed keys := wrap("release", context, key*), for the host's box key
//     context     := owner ‖ host ‖ snapshot ‖ list: ids
//     key         := domain: id  epoch: id  salt: 16 bytes  cipher: u8  kind: u8  key: 32 bytes
#pragma once

#include "vault/keys/record.h"
#include "vault/keys/segment.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t release_segments_max = 1 << 19;
constexpr std::size_t release_purpose_max = 2048;
constexpr std::size_t release_keys_bytes_max = release_segments_max * 114 + 256;

/// What the persons sign.
struct Release {
    std::uint64_t number = 1;
    TrustId owner;
    TrustId host;
    PublicKey host_key;  // The box key of the host's node.
    Digest snapshot;
    ListId list;
    std::string system;
    std::string purpose;
    std::int64_t time = 0;
    std::int64_t until = 0;
    Digest keys_hash;  // H("release keys", sealed keys)
};

struct NewRelease {
    Record record;  // To be signed by two persons: sign(), then encode().
    Buffer sealed_keys;
};

/// `release` without its keys_hash; the keys of `segments`, as `keys` has them. Errors: Invalid (no
/// system or purpose, an end before the start, no keys or too many), those of `keys`.
Result<NewRelease> make_release(const Release& release, const std::vector<SegmentName>& segments,
                                const KeySource& keys);

/// Reads the facts; who signed is People::two_persons' to judge, with the owner's certificates.
/// Errors: Corrupt, Denied (for another host).
Result<Release> parse_release(const Record& record, const TrustId& host);

/// The keys of one release. Does not change once made, so it may be asked from several threads.
class ReleaseKeys final : public KeySource {
public:
    /// Errors: Denied (over its date), Corrupt (not the keys that were signed for, another box key,
    /// damaged).
    static Result<ReleaseKeys> open(const Release& release, View sealed_keys, const BoxKey& host,
                                    std::int64_t now_ms);

    Result<DomainId> domain_of(const EpochId& epoch) const override;
    Result<Secret> key_of(const SegmentName& segment) const override;
    std::size_t size() const { return keys_.size(); }

private:
    std::map<SegmentName, Secret> keys_;
    std::map<EpochId, DomainId> domains_;
};

}  // namespace holdfast::vault
