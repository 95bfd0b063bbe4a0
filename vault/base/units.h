// Units and names: numbers that cannot be mistaken for one another, and 32-byte names.
#pragma once

#include "vault/base/bytes.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace holdfast {

constexpr std::uint64_t operator""_KiB(unsigned long long n) {
    return n << 10;
}
constexpr std::uint64_t operator""_MiB(unsigned long long n) {
    return n << 20;
}
constexpr std::uint64_t operator""_GiB(unsigned long long n) {
    return n << 30;
}

/// A 32-byte name. The tag keeps a ChunkId from passing as a PackId.
template <class Tag>
struct Id {
    std::array<std::uint8_t, 32> digest{};

    // clang-tidy 14 takes its 0 for a pointer. NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Id&, const Id&) = default;
    View view() const { return digest; }
    std::string hex() const { return to_hex(digest); }
    /// Enough to tell one from another on a screen.
    std::string brief() const { return hex().substr(0, 12); }
    bool zero() const {
        return std::all_of(digest.begin(), digest.end(), [](std::uint8_t b) { return b == 0; });
    }

    /// `bytes` must be exactly 32 long. Errors: Corrupt.
    static Result<Id> from(View bytes) {
        Id id;
        if (bytes.size() != id.digest.size()) return Error{Errc::Corrupt, "a name of wrong length"};
        std::copy(bytes.begin(), bytes.end(), id.digest.begin());
        return id;
    }
    /// 64 lower-case hexadecimal digits. Errors: Invalid.
    static Result<Id> from_text(std::string_view text) {
        if (text.size() != 64) return Error{Errc::Invalid, "expected 64 hexadecimal digits"};
        return from(HF_TRY(from_hex(text)));
    }
    /// Reads one from `in`; zero if `in` fails.
    static Id read(ByteReader& in) {
        Id id;
        const View raw = in.bytes(id.digest.size());
        std::copy(raw.begin(), raw.end(), id.digest.begin());
        return id;
    }
};

/// Ids are hashes already: any eight bytes of one are a good hash.
template <class Tag>
struct IdHash {
    std::size_t operator()(const Id<Tag>& id) const noexcept {
        std::size_t h = 0;
        std::memcpy(&h, id.digest.data(), sizeof h);
        return h;
    }
};

using Digest = Id<struct DigestTag>;    // BLAKE2b-256 of something.
using ChunkId = Id<struct ChunkTag>;    // Keyed BLAKE2b of a chunk; only inside sealed objects.
using PackId = Id<struct PackTag>;      // Type, length and Merkle root of a pack file.
using EpochId = Id<struct EpochTag>;    // Commits to an epoch's two keys.
using DomainId = Id<struct DomainTag>;  // Random.
using TrustId = Id<struct TrustTag>;    // Hash of a trust's first trust key.
using ChainId = Id<struct ChainTag>;    // Random.
using ListId = Id<struct ListTag>;      // Merkle root over a list's sorted pack ids.
using PublicKey = Id<struct KeyTag>;    // Ed25519 or X25519, by context.

}  // namespace holdfast
