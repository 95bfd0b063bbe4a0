// Segment: the unit of sealing (docs/vault-format.md, 6), and who can give its key.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/secret.h"

#include <array>
#include <compare>
#include <cstdint>

namespace holdfast::vault {

using Salt = std::array<std::uint8_t, 16>;

/// The byte that stands for the kind in objects.
enum class Kind : std::uint8_t {
    Data = 1,
    Meta = 2,
    Refs = 3,
    Index = 4,
    Directory = 5,
    Ledger = 6
};

/// True for what clinicians wrote: sealed by the epoch's content key. False: by its map key.
constexpr bool is_content(Kind kind) {
    return kind == Kind::Data || kind == Kind::Meta;
}

/// All that names a segment's key.
struct SegmentName {
    DomainId domain;
    EpochId epoch;
    Salt salt{};
    Cipher cipher = Cipher::Aes256Gcm;
    Kind kind = Kind::Data;

    friend auto operator<=>(const SegmentName&, const SegmentName&) = default;
};

/// The segment's key from its epoch's content or map key (by kind).
Secret segment_key(const SegmentName& segment, const Secret& epoch_key);

/// Additional data of chunk `number` of a segment.
Buffer chunk_additional(const SegmentName& segment, std::uint64_t number, View chunk_id);

/// Who can give segment keys: a trust's own key ring, or a release. Safe from several threads.
class KeySource {
public:
    virtual ~KeySource() = default;
    /// The domain that an epoch belongs to. Errors: NotFound (the epoch is not known here).
    virtual Result<DomainId> domain_of(const EpochId& epoch) const = 0;
    /// Errors: Locked (the epoch is known, but not its content key), NotFound.
    virtual Result<Secret> key_of(const SegmentName& segment) const = 0;
};

}  // namespace holdfast::vault
